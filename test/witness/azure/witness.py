"""What the programs beside this file have in common."""

import os

from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential


def credential() -> ClientSecretCredential:
    return ClientSecretCredential(
        os.environ["AZURE_TENANT_ID"],
        os.environ["AZURE_CLIENT_ID"],
        os.environ["AZURE_CLIENT_SECRET"],
        authority=os.environ["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
    )


def refused(call, kind: type[HttpResponseError] = HttpResponseError) -> list:
    """Status and code of an error of that kind; nothing where the call succeeds."""
    try:
        call()
    except kind as error:
        return [error.status_code, getattr(error, "error_code", None) or error.error.code]
    return []
