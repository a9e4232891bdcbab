"""What the roles of the console may do with alerts and webhooks."""

from django.db import migrations

from backoffice.books.roles import ADMINISTRATORS, AUDITORS, FLEET_MANAGERS, REVIEWERS, STORE_MANAGERS, give_rights

SEEING = ["alerts.view_alert"]
RULES = ["alerts.view_alertrule", "alerts.view_quiethours"]
WHO_IS_TOLD = ["alerts.view_alertrecipient", "alerts.view_webhookendpoint", "alerts.view_webhookdelivery"]
SETTING_RULES = [f"alerts.{verb}_{kind}" for kind in ("alertrule", "quiethours") for verb in ("add", "change", "delete")]
SETTING_WHO_IS_TOLD = [
    *(f"alerts.{verb}_alertrecipient" for verb in ("add", "change", "delete")),
    *(f"alerts.{verb}_webhookendpoint" for verb in ("add", "change")),
]


class Migration(migrations.Migration):
    dependencies = [("review", "0001_signing_in"), ("alerts", "0001_alerts"), ("books", "0005_claims_and_requests")]

    operations = [
        give_rights(
            {
                AUDITORS: [*SEEING, *RULES, *WHO_IS_TOLD],
                REVIEWERS: [*SEEING, *RULES, "alerts.snooze_alert"],
                FLEET_MANAGERS: [*SEEING, *RULES, *SETTING_RULES, "alerts.snooze_alert"],
                STORE_MANAGERS: SEEING,
                ADMINISTRATORS: [
                    *SEEING,
                    *RULES,
                    *WHO_IS_TOLD,
                    *SETTING_RULES,
                    *SETTING_WHO_IS_TOLD,
                    "alerts.snooze_alert",
                ],
            }
        )
    ]
