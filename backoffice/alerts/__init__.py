"""Who must be told: alerts by rules, mails about them, webhooks, and the ping that says that we are alive."""
