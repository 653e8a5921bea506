"""Registering, signing in and out, the password, the own profile."""

from quiz.blueprints.account.views import blueprint

__all__ = ["blueprint"]
