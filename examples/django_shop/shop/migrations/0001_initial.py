"""The table of orders."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Orders."""

    initial = True
    operations = (
        migrations.CreateModel(
            name="Order",
            fields=[
                ("number", models.CharField(max_length=50, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254)),
                ("placed_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"db_table": "orders"},
        ),
    )
