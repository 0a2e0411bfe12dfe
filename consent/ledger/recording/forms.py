"""The form behind the page: what was typed becomes a number and one act for each answer."""

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.contacts.models import Contact
from consent.core import numbers
from consent.core.errors import DomainError
from consent.ledger import evidence, proofs
from consent.ledger.models import Method, Purpose
from consent.ledger.models.proofs import Answer
from consent.ledger.recording import countries
from consent.ledger.recording.scripts import Block

OFTEN = ["IT", "DE", "FR", "ES", "PT", "GB", "US"]
# Where the page asks for what a method requires (proofs.METHOD_RULES), and how it says that it is missing.
_ASKED_AT = {
    "place": ("place", gettext_lazy("Write the place or event where the person answered.")),
    "read_verbatim": ("verbatim", gettext_lazy("Read the words out exactly as they stand, then tick this.")),
    "evidence": ("photo", gettext_lazy("Take a photo of the signed form, or write where the form is filed.")),
}


class NumberForm(forms.Form):
    """A number as typed, and the country it is in when it has no prefix."""

    number = forms.CharField(
        label=gettext_lazy("Mobile number"),
        max_length=40,
        error_messages={
            "required": gettext_lazy("Type the person's mobile number."),
            "max_length": gettext_lazy("This is too long to be a phone number."),
        },
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off"}),
    )
    country = forms.ChoiceField(
        label=gettext_lazy("Country"), error_messages={"invalid_choice": gettext_lazy("Choose a country.")}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = countries.choices(OFTEN)  # type: ignore[attr-defined]
        self.parsed: numbers.Number | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("number") and cleaned.get("country"):
            try:
                self.parsed = numbers.parse(cleaned["number"], cleaned["country"])
            except DomainError as error:
                self.add_error("number", str(error))
        return cleaned


class OptInForm(NumberForm):
    """One person's answers. Only what an answer needs is required, and no answer is preselected (RULES C1)."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "words", "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=Contact.Kind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what the person is to us.")},
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)
    method = forms.ChoiceField(
        label=gettext_lazy("How did they answer?"),
        choices=[(Method.VERBAL, gettext_lazy("Spoken")), (Method.PAPER, gettext_lazy("Signed form"))],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose how the person answered: spoken or on a signed form.")},
    )
    verbatim = forms.BooleanField(label=gettext_lazy("I read this word for word"), required=False)
    place = forms.CharField(label=gettext_lazy("Place or event"), max_length=120, required=False)
    filed = forms.CharField(label=gettext_lazy("Where the paper form is filed"), max_length=200, required=False)
    photo = forms.FileField(
        label=gettext_lazy("Photo of the signed form"),
        required=False,
        allow_empty_file=True,  # the evidence check says what is wrong with it
        widget=forms.FileInput(attrs={"accept": "image/*", "capture": "environment"}),
    )
    file = forms.FileField(
        label=gettext_lazy("Scan or recording"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,application/pdf,audio/*"}),
    )
    brand = forms.CharField(required=False, widget=forms.HiddenInput)
    token = forms.UUIDField(widget=forms.HiddenInput)
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, blocks: list[Block], user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.blocks, self.user = blocks, user
        self.acts: list[tuple[Purpose, proofs.Act]] = []
        for block in blocks:
            self.fields[answer_field(block.purpose)] = forms.ChoiceField(
                label=block.purpose.name,
                choices=[(Answer.YES, _("Yes")), (Answer.NO, _("No"))],
                widget=forms.RadioSelect,
                required=False,
            )

    @property
    def upload(self) -> Any:
        """The evidence that came with the form, if any."""
        return self.cleaned_data.get("photo") or self.cleaned_data.get("file")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self._check_upload(cleaned)
        asked = [b for b in self.blocks if cleaned.get(answer_field(b.purpose))]
        if not asked and not any(answer_field(b.purpose) in self.errors for b in self.blocks):
            self.add_error(None, _("Nothing to save yet. Choose Yes or No for at least one purpose."))
        if not cleaned.get("method") or not cleaned.get("language"):
            return cleaned
        for block in asked:
            self._build(block, cleaned)
        return cleaned

    def _check_upload(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("photo") and cleaned.get("file"):
            self.add_error("file", _("Send one file: the photo or this one, not both."))
        for name in ("photo", "file"):
            if (upload := cleaned.get(name)) is not None:
                try:
                    evidence.check(upload)
                except DomainError as error:
                    self.add_error(name, str(error))

    def _build(self, block: Block, cleaned: dict[str, Any]) -> None:
        field = answer_field(block.purpose)
        notice = block.scripts.get(cleaned["language"])
        if notice is None:
            self.add_error(
                field, _("There are no published words for this purpose in this language. Choose another language.")
            )
            return
        if str(notice.pk) not in cleaned.get("shown", "").split(","):
            self.add_error(field, _("The words changed while this page was open. Read out the new ones and ask again."))
            return
        spoken = cleaned["method"] == Method.VERBAL
        act = proofs.Act(
            method=cleaned["method"],
            answer=cleaned[field],
            captured_at=timezone.now(),
            notice=notice,
            policy=block.policies.get(cleaned["language"]),
            recorded_by=self.user.get_username(),
            recorded_by_user=self.user,
            place=cleaned.get("place", ""),
            read_verbatim=cleaned.get("verbatim", False) if spoken else None,
            reference="" if spoken else cleaned.get("filed", ""),
            file=self.upload,
        )
        if act.answer == Answer.YES:
            for missing in act.missing():
                where, sentence = _ASKED_AT[missing]
                if not self.errors.keys() & {where, "file" if where == "photo" else where}:
                    self.add_error(where, sentence)
        self.acts.append((block.purpose, act))

    def refuse(self, errors: dict[int, DomainError]) -> None:
        """Put what the ledger refused beside the answer it refused."""
        for block in self.blocks:
            if error := errors.get(block.purpose.pk):
                self.add_error(answer_field(block.purpose), str(error))


def answer_field(purpose: Purpose) -> str:
    """The name of the answer to ``purpose`` in the form."""
    return f"answer_{purpose.pk}"


def fresh_token() -> str:
    """A token for a form that was never sent."""
    return str(uuid.uuid4())
