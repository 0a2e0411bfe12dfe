from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0002_seed_windows"),
    ]
    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(condition=models.Q(("state", "claimed")), fields=["contact"], name="message_claimed"),
        ),
    ]
