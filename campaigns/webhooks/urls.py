"""The addresses gateways call. Kannel's carry a secret, since nothing else says that it is Kannel."""

from django.urls import path, re_path

from campaigns.webhooks import views

app_name = "hooks"
urlpatterns = [
    path("kannel/<str:secret>/inbound/", views.inbound, {"gateway": "kannel"}, name="kannel_inbound"),
    path("kannel/<str:secret>/receipt/<int:reference>/", views.receipt, {"gateway": "kannel"}, name="kannel_receipt"),
    path("twilio/inbound/", views.inbound, {"gateway": "twilio"}, name="twilio_inbound"),
    path("twilio/receipt/<int:reference>/", views.receipt, {"gateway": "twilio"}, name="twilio_receipt"),
    path("webhook/inbound/", views.inbound, {"gateway": "webhook"}, name="webhook_inbound"),
    path("webhook/receipt/", views.receipt, {"gateway": "webhook"}, name="webhook_receipt"),
    re_path("", views.nowhere, name="nowhere"),
]
