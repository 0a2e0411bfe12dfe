"""The form that takes a file in."""

from typing import Any

import phonenumbers
from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.core import history
from consent.core.errors import ImportRefused
from consent.ledger.importing import batches
from consent.ledger.models import ImportBatch


class UploadForm(forms.Form):
    """A file, the country of its short numbers, and why it is imported."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or Excel workbook (.xlsx); its first row names the columns."),
        widget=forms.ClearableFileInput(
            attrs={
                "accept": ".csv,.xlsx,.txt,text/csv,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            }
        ),
    )
    country = forms.CharField(
        label=gettext_lazy("Country of numbers without prefix"),
        min_length=2,
        max_length=2,
        help_text=gettext_lazy("Two letters, such as IT. The column “country” of a row goes before it."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("Where the list comes from. It stands in the history of everything the import changes."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"country": settings.DEFAULT_COUNTRY}} | kwargs)
        self.user = user
        self.batch: ImportBatch | None = None

    def clean_country(self) -> str:
        country = self.cleaned_data["country"].upper()
        if country not in phonenumbers.SUPPORTED_REGIONS:
            raise forms.ValidationError(_("This is not a country. Write its two letters, such as IT."))
        return country

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.batch = batches.upload(
                    data["file"].file,
                    filename=data["file"].name,
                    country=data["country"],
                    reason=data["reason"],
                    actor=history.Actor.of(self.user),
                    user=self.user,
                )
            except ImportRefused as refused:
                self.add_error("file", str(refused))
        return data
