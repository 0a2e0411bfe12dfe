"""A paused campaign's million waiting texts must not stand before those that may go."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0003_claimed_texts_by_contact")]
    operations = [
        migrations.RemoveIndex(model_name="message", name="message_queue"),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state", "queued")),
                fields=["campaign", "sender", "not_before", "id"],
                name="message_queue",
            ),
        ),
    ]
