"""Forms of the ledger's admin pages. Each checks what was typed and calls the one door that acts."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consent.core import history, numbers
from consent.core.errors import DomainError
from consent.ledger import evidence, explanation, proofs, transitions
from consent.ledger.models import Brand, Consent, Method, Purpose, RenewalTask
from consent.ledger.models.proofs import Answer


class PurposeForm(forms.ModelForm):
    """Accepted proof as checkboxes."""

    accepted_methods = forms.MultipleChoiceField(
        label=_("Accepted proof"),
        choices=Method.choices,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "radiolist"}),
        help_text=_("A yes by any other method is not recorded for this purpose (RULES C2, C13)."),
    )

    class Meta:
        model = Purpose
        fields = "__all__"  # noqa: DJ007 - the admin names the editable ones


def _local_now() -> str:
    return timezone.localtime().strftime("%Y-%m-%dT%H:%M:%S")


class MoveForm(forms.Form):
    """What every end of a consent needs: when it happened and why. Each kind says in ``act`` which door it takes."""

    when = forms.DateTimeField(
        label=_("When it happened"),
        initial=_local_now,
        # Seconds matter: a stop in the same minute as the yes must come after it.
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"),
        help_text=_("The time of the event, not of this entry; it may lie in the past."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept in the history. Leave out names, numbers and addresses."),
    )

    def __init__(self, *args: Any, consent: Consent, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.consent, self.user = consent, user

    def move(self) -> bool:
        """Make the move; a refusal of the domain becomes an error of the form.

        Returns:
            Whether it was made.
        """
        try:
            with history.acting(history.Actor.of(self.user), self.cleaned_data["reason"]):
                self.act()
        except DomainError as error:
            self.add_error(None, str(error))
            return False
        return True


class WithdrawForm(MoveForm):
    """The person said stop, by a way that no machine heard (RULES C6)."""

    how = forms.ChoiceField(
        label=_("How the person said it"),
        choices=[
            (Method.VERBAL, _("By phone or in person")),
            (Method.PAPER, _("By letter")),
            (Method.EMAIL_REPLY, _("By e-mail")),
        ],
        widget=forms.RadioSelect(attrs={"class": "radiolist"}),
    )
    scope = forms.ChoiceField(
        label=_("What it ends"), choices=Brand.StopScope.choices, widget=forms.RadioSelect(attrs={"class": "radiolist"})
    )
    evidence = forms.FileField(
        label=_("Evidence"),
        required=False,
        help_text=_("Optional: the letter, message or recording. PDF, PNG, JPEG, M4A, MP3 or WAV, up to 10 MB."),
    )
    field_order = ["how", "when", "scope", "reason", "evidence"]

    def __init__(self, *args: Any, consent: Consent, **kwargs: Any) -> None:
        super().__init__(*args, consent=consent, **kwargs)
        self.initial.setdefault("scope", consent.purpose.brand.stop_scope)

    def act(self) -> None:
        data = self.cleaned_data
        with evidence.stored(data["evidence"]) as kept:
            act = proofs.Act(
                method=data["how"],
                answer=Answer.NO,
                captured_at=data["when"],
                recorded_by=self.user.get_username(),
                recorded_by_user=self.user,
                details=data["reason"],
                file=kept.file if kept else None,
                file_sha256=kept.file_sha256 if kept else "",
                file_type=kept.file_type if kept else "",
            )
            ended = transitions.withdraw(self.consent.contact, self.consent.purpose, act, scope=data["scope"])
            if kept and ended:
                kept.keep()


class EndForm(MoveForm):
    """Revoke or invalidate: somebody other than the person ends the consent."""

    def __init__(self, *args: Any, move: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = move

    def act(self) -> None:
        transitions.end(self.consent, self.name, effective_at=self.cleaned_data["when"])


class RenewalForm(forms.ModelForm):
    """Done or not, and what was done."""

    done = forms.BooleanField(label=_("Done"), required=False, help_text=_("Takes it off the open worklist."))

    class Meta:
        model = RenewalTask
        fields = ["note"]
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["done"].initial = self.instance.done_at is not None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("done") and not data.get("note", "").strip():
            self.add_error("note", _("Write what was done, such as “called, will sign a new form”."))
        return data

    def save(self, commit: bool = True) -> RenewalTask:
        if not self.cleaned_data["done"]:
            self.instance.done_at = None
        elif self.instance.done_at is None:
            self.instance.done_at = timezone.now()
        return super().save(commit)


class ExplainForm(forms.Form):
    """A question to the decision: this number, this purpose, this moment."""

    number = forms.CharField(
        label=_("Mobile number"),
        max_length=60,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off"}),
        help_text=_("In any form; abroad with the country code, such as +39 312 345 6789."),
    )
    purpose = forms.ModelChoiceField(
        label=_("Purpose"), queryset=Purpose.objects.select_related("brand"), empty_label=None
    )
    at = forms.CharField(
        label=_("At"),
        required=False,
        max_length=40,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=_("Empty: now. In the time zone of the brand."),
    )

    def clean_number(self) -> numbers.Number:
        try:
            return numbers.parse(self.cleaned_data["number"])
        except DomainError as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if purpose := data.get("purpose"):
            try:
                data["at"] = explanation.moment(data.get("at", ""), purpose)
            except DomainError as error:
                self.add_error("at", str(error))
        return data
