"""The form of a sending window."""

from typing import Any

import phonenumbers
from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns import widening
from campaigns.models import SendingWindow
from consent.core.regions import US_STATES


class WindowForm(forms.ModelForm):
    """A rule as typed. One that forbids less than what holds now needs a reason and the place where it stands."""

    class Meta:
        model = SendingWindow
        fields = "__all__"  # noqa: DJ007 - the admin names the editable ones

    def clean_country(self) -> str:
        country = str(self.cleaned_data["country"]).strip().upper()
        if country and country not in phonenumbers.SUPPORTED_REGIONS:
            raise forms.ValidationError(_("There is no such country. Write its two letters, like IT or GB."))
        return country

    def clean_region(self) -> str:
        return str(self.cleaned_data["region"]).strip().upper()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        country, region = data.get("country"), data.get("region")
        if country and region and (country != "US" or region not in US_STATES.values()):
            self.add_error("region", _("Numbers tell regions in the US only: write a state there, like FL."))
        return data

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # what is typed is in the instance from here on
        if not self.errors:
            self._ask_why()

    def _ask_why(self) -> None:
        before = SendingWindow.objects.filter(pk=self.instance.pk).first()
        others = SendingWindow.objects.exclude(pk=self.instance.pk)
        if not widening.widens(before, self.instance, others):
            return
        if not str(self.data.get("_reason", "")).strip():
            self.add_error(None, _("This lets texts go that may not go now. Say why in the reason."))
        if before and before.source.split() == self.instance.source.split():
            self.add_error("source", _("This lets texts go that may not go now. Write where the new rule stands."))
