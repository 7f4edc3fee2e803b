"""Why somebody is not let in, in the reader's language."""

from __future__ import annotations

from tornado import web

from audit_kernel.locale import LANGUAGES, translator

FORBIDDEN = 403
NORWEGIAN = {"no": "nb", "nn": "nb"}


def N_(text: str) -> str:  # noqa: N802 - gettext's name for a text that is translated later
    """Mark a text for the catalogues."""
    return text


REASONS = {
    "not_verified": N_("The answer of the log-in service could not be verified, so you were not let in. Log in again."),
    "too_weak": N_("You logged in in a way that is not strong enough here. Log in again with your service card."),
    "no_name": N_("The log-in service did not say which employee you are. Ask the person responsible for the system."),
    "no_role": N_("You are logged in, but you have no role in this system. Ask the person responsible for it."),
    "no_account": N_("You have no account on this server yet. Ask the person responsible for the system."),
    "commands_only": N_("Your role takes logs in and runs months by commands on the server; it has no page here."),
    "not_through_door": N_("This page is reached through the organisation's own address only."),
    "not_recorded": N_("Your log-in could not be recorded, so you were not let in. Try again in a moment."),
}


def reader_language(accepted: str, default: str) -> str:
    """Return the first language of an Accept-Language header that we speak: en, sv or nb; else the default."""
    preferences = []
    for place, part in enumerate(accepted.split(",")):
        tag, _, rest = part.strip().partition(";")
        weight = rest.strip().removeprefix("q=")
        order = float(weight) if weight.replace(".", "", 1).isdecimal() else 1.0
        language = tag.split("-")[0].lower()
        preferences.append((-order, place, NORWEGIAN.get(language, language)))
    return next((language for *_order, language in sorted(preferences) if language in LANGUAGES), default)


class RefusedError(web.HTTPError):
    """A refusal; the Hub shows `jupyterhub_message` on its page."""

    jupyterhub_message = ""


def refused(reason: str, accepted: str, default: str) -> RefusedError:
    """Return the error of a reason: 403, with its sentence on the page.

    Parameters
    ----------
    reason: key of REASONS. accepted: the request's Accept-Language. default: the site's language.
    """
    error = RefusedError(FORBIDDEN, log_message=reason)
    error.jupyterhub_message = translator(reader_language(accepted, default))(REASONS[reason])
    return error
