"""Deciding in the console: a form for each verb, answers to requests, and one reason for many."""
