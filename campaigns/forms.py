"""Forms of the pages of campaigns, texts and senders. Each checks what was typed; the doors do the work."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, CampaignBody, Keyword, Sender
from consent.ledger.models import Notice, Purpose

TEXT = "text_"  # followed by the language
MAX_LENGTH = CampaignBody._meta.get_field("text").max_length


class CampaignForm(forms.ModelForm):
    """A campaign with its text in each language; a language without a text gets the one for everybody else."""

    class Meta:
        model = Campaign
        fields = ["name", "purpose", "audience", "sender", "language"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        texts = dict(self.instance.bodies.values_list("language", "text")) if self.instance.pk else {}
        for code, name in settings.LANGUAGES:
            self.fields[TEXT + code] = forms.CharField(
                label=name,
                required=False,
                max_length=MAX_LENGTH,
                strip=False,
                widget=forms.Textarea(attrs={"rows": 4, "lang": code, "class": "composer-text", "data-language": code}),
            )
            self.initial[TEXT + code] = texts.get(code, "")
        if "purpose" in self.fields:  # a reader's form has none of its fields
            of_campaigns = Purpose.objects.exclude(kind=Purpose.Kind.CONVERSATIONAL).select_related("brand")
            self.fields["purpose"].queryset = of_campaigns.filter(active=True) | of_campaigns.filter(
                pk=self.instance.purpose_id
            )
            senders = Sender.objects.select_related("brand")
            self.fields["sender"].queryset = senders.filter(active=True) | senders.filter(pk=self.instance.sender_id)
            self.fields["purpose"].help_text = _("Only people who said yes to it get the text.")
            self.fields["audience"].help_text = _("Whom it is meant for; the permission of each is checked on top.")
            if not self.instance.pk:
                self.initial.setdefault("language", settings.LANGUAGE_CODE)

    def languages(self) -> Iterator[dict[str, Any]]:
        """The text fields, those with a text open."""
        for code, name in settings.LANGUAGES:
            if TEXT + code in self.fields:
                field = self[TEXT + code]
                yield {
                    "code": code,
                    "name": name,
                    "field": field,
                    "written": bool((field.value() or "").strip()),
                    "open": bool(field.value() or field.errors or code == self["language"].value()),
                }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        purpose, sender = data.get("purpose"), data.get("sender")
        if purpose and sender and (barred := sender.barred(purpose)):
            self.add_error("sender", barred)
        fallback = data.get("language")
        if fallback and not data.get(TEXT + fallback, "").strip() and TEXT + fallback not in self.errors:
            self.add_error(TEXT + fallback, _("Write this text: everybody without a text of their own gets it."))
        return data

    @property
    def texts_changed(self) -> list[str]:
        """The languages whose text differs from what is stored."""
        return [name.removeprefix(TEXT) for name in self.changed_data if name.startswith(TEXT)]

    def save_texts(self) -> None:
        """Write the texts that changed, inside ``history.acting``; an empty one is deleted."""
        standing = {body.language: body for body in self.instance.bodies.all()}
        for code in self.texts_changed:
            text = self.cleaned_data[TEXT + code].replace("\r\n", "\n").strip()
            body = standing.get(code)
            if not text:
                if body:
                    body.delete()
            elif body is None:
                CampaignBody.objects.create(campaign=self.instance, language=code, text=text)
            elif body.text != text:
                body.text = text
                body.save()


class ReasonForm(forms.Form):
    """A confirmation that asks why."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Kept in the history. Leave out names, numbers and addresses."),
    )

    def __init__(self, *args: Any, needed: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needed


class ScheduleForm(ReasonForm):
    """Now, or at a moment in the zone of the brand."""

    when = forms.ChoiceField(
        label=_("Start"),
        choices=[("now", _("Now")), ("later", _("Later"))],
        initial="now",
        widget=forms.RadioSelect(attrs={"class": "radiolist"}),
    )
    at = forms.DateTimeField(
        label=_("Later at"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
    )
    field_order = ["when", "at", "reason"]

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, needed=False, **kwargs)
        self.zone = ZoneInfo(zone)
        self.fields["at"].help_text = _("In the time of the brand, %(zone)s.") % {"zone": zone}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        at: datetime | None = data.get("at")
        if data.get("when") != "later":
            data["at"] = None
        elif at is None:
            if "at" not in self.errors:
                self.add_error("at", _("Say when."))
        else:
            # The field took it for a time of the site; it was typed in the time of the brand.
            typed = timezone.make_naive(at, timezone.get_current_timezone())
            data["at"] = typed.replace(tzinfo=self.zone)
            if data["at"] < timezone.now():
                self.add_error("at", _("This moment is past."))
        return data


class SenderForm(forms.ModelForm):
    """Kinds of purposes as checkboxes; gateways with a word about which are set up."""

    kinds = forms.MultipleChoiceField(
        label=_("May be used for"),
        choices=Purpose.Kind.choices,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "radiolist"}),
    )

    class Meta:
        model = Sender
        fields = "__all__"  # noqa: DJ007 - the admin names the editable ones

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "gateway" in self.fields:
            from campaigns import gateways

            usable = set(gateways.configured())
            self.fields["gateway"].choices = [
                (value, label if value in usable else _("%(gateway)s – not set up") % {"gateway": label})
                for value, label in Sender.Gateway.choices
            ]
            self.fields["gateway"].help_text = _("Set up by whoever runs the site, by environment variables.")
        if "stop_sender" in self.fields:
            answering = Sender.objects.select_related("brand").filter(two_way=True)
            if self.instance.brand_id and not self.is_bound:  # what was chosen for another brand is told so by clean
                answering = answering.filter(brand=self.instance.brand_id)
            self.fields["stop_sender"].queryset = answering

    def clean_country(self) -> str:
        country = self.cleaned_data["country"].strip().upper()
        if len(country) != 2 or not country.isalpha() or not country.isascii():
            raise forms.ValidationError(_("Two letters, such as IT."))
        return country

    def clean_currency(self) -> str:
        currency = self.cleaned_data["currency"].strip().upper()
        if len(currency) != 3 or not currency.isalpha() or not currency.isascii():
            raise forms.ValidationError(_("Three letters, such as EUR."))
        return currency


class KeywordForm(forms.ModelForm):
    """A keyword: one word that means nothing else, for a purpose of the sender's brand, with the notice beside it."""

    class Meta:
        model = Keyword
        fields = ["word", "purpose", "notice", "active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        published = Notice.objects.filter(published_at__isnull=False).select_related("purpose__brand")
        if "purpose" in self.fields:
            self.fields["purpose"].queryset = Purpose.objects.filter(active=True).select_related("brand")
            self.fields["notice"].queryset = published

    def clean_word(self) -> str:
        from campaigns import keywords

        word = str(self.cleaned_data["word"]).strip()
        if len(word.split()) != 1 or not any(c.isalpha() for c in word):
            raise forms.ValidationError(_("One word, as people type it, such as JOBS."))
        if keywords.classify(word).meaning in ("opt_out", "help", "opt_in", "yes", "no", "review"):
            raise forms.ValidationError(_("This word means something else when people text it. Choose another one."))
        return word.upper()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        purpose, notice = data.get("purpose"), data.get("notice")
        if purpose and notice and notice.purpose_id != purpose.pk:
            self.add_error("notice", _("Choose a notice of this purpose."))
        return data


class KeywordFormSet(forms.BaseInlineFormSet):
    """The keywords of a sender, which may be new itself."""

    def clean(self) -> None:
        super().clean()
        for form in self.forms:
            purpose = getattr(form, "cleaned_data", {}).get("purpose")
            if purpose and self.instance.brand_id and purpose.brand_id != self.instance.brand_id:
                form.add_error("purpose", _("Choose a purpose of the sender's brand (RULES C4)."))
