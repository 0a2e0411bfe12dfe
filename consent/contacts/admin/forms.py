"""Forms of the contact pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from consent.contacts.doors import DETAILS
from consent.contacts.models import Contact
from consent.core import numbers
from consent.core.errors import InvalidNumber


class NumberField(forms.CharField):
    """A number as it was typed, cleaned to a parsed one."""

    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "off", "class": "vTextField"})

    def clean(self, value: Any) -> numbers.Number | None:
        text = super().clean(value)
        try:
            return numbers.parse(text)
        except InvalidNumber as error:
            raise forms.ValidationError(str(error)) from None


class ContactForm(forms.ModelForm):
    """A new contact."""

    number = NumberField(
        label=_("Mobile number"), help_text=_("As the person writes it; with its country code when it is foreign.")
    )
    field_order = ("number", *DETAILS)

    class Meta:
        model = Contact
        fields = DETAILS


class ChangeNumberForm(forms.Form):
    number = NumberField(label=_("New mobile number"))


class ConfirmNumberForm(ChangeNumberForm):
    number = NumberField(widget=forms.HiddenInput())
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("How you know the new number. Kept in the history with your name."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
