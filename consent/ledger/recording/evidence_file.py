"""Evidence on its way out: only to those who may see the consent, and only as a download."""

from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase

from consent.ledger import access, evidence
from consent.ledger.models import Proof


def evidence_file(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    """The file of a proof; for whom it is not there, it does not exist.

    Officers and auditors see every proof, recruiters those of their own records.
    """
    proof = Proof.objects.select_related("contact").exclude(file="").filter(uid=uid).first()
    user = request.user
    if proof is None or not user.has_perm("ledger.view_consent"):
        raise Http404
    if not user.has_perm("ledger.view_proof") and not access.sees(user, proof.contact):
        raise Http404
    try:
        content = proof.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(
        content,
        as_attachment=True,
        filename=evidence.download_name(proof.uid, proof.file_type),
        content_type="application/octet-stream",  # nothing a browser would show or run, whatever is inside
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response
