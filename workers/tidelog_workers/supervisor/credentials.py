"""The SDK's credentials file: `tidelog up` writes it, so that `import tidelog` just works here."""

from urllib.parse import urlsplit

from tidelog.settings import Credentials

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def known_keys() -> list[str]:
    """Return the keys in the file, those of servers on this machine first."""
    credentials = Credentials()
    urls = sorted(credentials.servers, key=lambda url: urlsplit(url).hostname not in LOOPBACK)
    return [key for url in urls if (key := credentials.of(url).get("key"))]


def remember(*, url: str, key: str, team: str) -> None:
    """Write this server's key and make it the default; forget the ports it was found at before."""
    credentials = Credentials()
    for former in [each for each in credentials.servers if credentials.of(each).get("key") == key]:
        del credentials.servers[former]
    credentials.remember(url=url, key=key, team=team)
