"""People, teams, keys and links."""

from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.utils.timezone import now
from tests.server.factories import a_key, a_member, a_team, a_user, owner_of

from tidelog_server.accounts import selectors, services
from tidelog_server.accounts.keys import is_key, new_key
from tidelog_server.accounts.models import ApiKey, Role, SignInLink, Team, User
from tidelog_server.accounts.policies import granted
from tidelog_server.accounts.throttle import forget_attempts, note_attempt
from tidelog_server.core.errors import Conflict, Invalid, NotFound, TooOften
from tidelog_server.core.gate import Action

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


class TestAKey:
    def test_has_a_form_that_can_be_recognised(self):
        key = new_key()
        assert key.startswith("tl_u")
        assert len(key) == 46
        assert is_key(key)

    def test_with_a_typing_error_is_none(self):
        key = new_key()
        assert not is_key(key[:20] + ("a" if key[20] != "a" else "b") + key[21:])

    def test_is_kept_as_a_digest_only(self):
        secret = a_key(a_team())
        row = ApiKey.objects.values().get()
        assert row["prefix"] == secret[:8]
        assert not any(secret in str(value) for value in row.values())

    def test_finds_its_row(self):
        assert selectors.key_of(a_key(a_team())) is not None

    def test_that_expired_or_was_revoked_is_none(self):
        team = a_team()
        key, secret = services.create_key(
            team=team, user=owner_of(team), expires_at=now() - timedelta(seconds=1)
        )
        assert selectors.key_of(secret) is None
        key, secret = services.create_key(team=team, user=owner_of(team))
        services.revoke_key(key=key)
        assert selectors.key_of(secret) is None

    def test_of_a_person_who_was_switched_off_is_none(self):
        team = a_team()
        secret = a_key(team)
        User.objects.update(is_active=False)
        assert selectors.key_of(secret) is None

    def test_needs_a_member_and_known_scopes(self):
        with pytest.raises(Invalid, match="not a member"):
            a_key(a_team(), user=a_user())
        with pytest.raises(Invalid, match="Scopes"):
            a_key(a_team(), scopes=["everything"])

    def test_notes_when_it_was_used_once_a_minute(self):
        secret = a_key(a_team())
        services.Identity().by_key(secret)
        used = ApiKey.objects.get().last_used_at
        services.Identity().by_key(secret)
        assert used is not None
        assert ApiKey.objects.get().last_used_at == used


class TestPolicies:
    def test_let_a_key_do_no_more_than_its_person(self):
        assert granted("viewer", {"admin", "ingest", "write"}) == {Action.READ}

    def test_let_a_key_do_no_more_than_its_scopes(self):
        assert granted("owner", {"ingest"}) == {Action.INGEST}

    def test_know_nothing_of_other_words(self):
        assert granted("king", None) == frozenset()
        assert granted("owner", {"agent"}) == frozenset()


class TestCreateUser:
    def test_keeps_the_address_in_lower_case(self):
        assert services.create_user(email=" Ann@Example.ORG ").email == "ann@example.org"

    def test_refuses_an_address_twice(self):
        services.create_user(email="ann@example.org")
        with pytest.raises(Conflict):
            services.create_user(email="ANN@example.org")

    @pytest.mark.parametrize("password", ["short", "password123", "x" * 1025])
    def test_refuses_a_weak_or_endless_password(self, password):
        with pytest.raises(Invalid):
            services.create_user(email="ann@example.org", password=password)

    def test_without_a_password_lets_nobody_in_by_password(self):
        services.create_user(email="ann@example.org")
        assert authenticate(username="ann@example.org", password="") is None


class TestSigningIn:
    def test_takes_the_address_in_any_case(self):
        user = services.create_user(email="ann@example.org", password=PASSWORD)
        assert authenticate(username="ANN@example.org", password=PASSWORD) == user

    def test_refuses_five_megabytes_of_password(self):
        services.create_user(email="ann@example.org", password=PASSWORD)
        assert authenticate(username="ann@example.org", password="x" * 5_000_000) is None

    @pytest.mark.parametrize("email", ["a\0@example.org", "\ud800@example.org", ""], ids=ascii)
    def test_refuses_an_address_that_cannot_be(self, email):
        assert authenticate(username=email, password=PASSWORD) is None

    def test_is_slowed_after_ten_attempts(self):
        for _ in range(10):
            note_attempt(email="ann@example.org", address="192.0.2.1")
        with pytest.raises(TooOften):
            note_attempt(email="ANN@example.org", address="192.0.2.1")
        note_attempt(email="ann@example.org", address="192.0.2.2")

    def test_is_slowed_for_an_address_that_tries_many_accounts(self):
        for number in range(30):
            note_attempt(email=f"{number}@example.org", address="192.0.2.1")
        with pytest.raises(TooOften):
            note_attempt(email="ann@example.org", address="192.0.2.1")

    def test_that_succeeds_starts_over(self):
        for _ in range(10):
            note_attempt(email="ann@example.org", address="192.0.2.1")
        forget_attempts(email="ann@example.org", address="192.0.2.1")
        note_attempt(email="ann@example.org", address="192.0.2.1")


class TestASignInLink:
    def test_signs_in_once(self):
        user = a_user()
        token = services.make_sign_in_link(user=user)
        assert services.redeem_sign_in_link(token=token) == user
        with pytest.raises(NotFound):
            services.redeem_sign_in_link(token=token)

    def test_expires(self):
        token = services.make_sign_in_link(user=a_user(), valid_for=timedelta(seconds=-1))
        with pytest.raises(NotFound):
            services.redeem_sign_in_link(token=token)

    def test_is_kept_as_a_digest_only(self):
        token = services.make_sign_in_link(user=a_user())
        assert token not in str(SignInLink.objects.values().get())

    @pytest.mark.parametrize("token", ["", "1", ":token", "a\0b", "\ud800"])
    def test_that_was_guessed_is_not_found(self, token):
        with pytest.raises(NotFound):
            services.redeem_sign_in_link(token=token)


class TestCreateTeam:
    @pytest.mark.parametrize("slug", ["", "login", "api", "static", "Blue", "a/b", "-a", "é"])
    def test_refuses_a_name_that_cannot_be_an_address(self, slug):
        with pytest.raises(Invalid):
            services.create_team(slug=slug)

    def test_refuses_a_name_twice(self):
        a_team("blue")
        with pytest.raises(Conflict):
            a_team("blue")

    def test_gives_it_an_owner(self):
        team = a_team(owner=a_user("Ann"))
        assert team.memberships.get().role == Role.OWNER


class TestAddMember:
    def test_gives_a_member_another_role(self):
        team = a_team()
        bob = a_member(team)
        services.add_member(team=team, user=bob, role="viewer")
        assert team.memberships.get(user=bob).role == "viewer"

    def test_refuses_a_role_that_is_none(self):
        with pytest.raises(Invalid):
            services.add_member(team=a_team(), user=a_user(), role="king")


class TestEnsureOwner:
    def test_makes_an_owner_and_a_team_on_a_fresh_database(self):
        user, team = services.ensure_owner()
        assert team.memberships.get().user == user
        assert not user.has_usable_password()

    def test_finds_the_same_ones_again(self):
        assert services.ensure_owner() == services.ensure_owner()
        assert Team.objects.count() == 1

    @pytest.mark.parametrize(
        ("login", "slug"), [("Ann Smith", "ann-smith"), ("", "local"), ("static", "local")]
    )
    def test_names_the_team_after_the_login(self, monkeypatch, login, slug):
        monkeypatch.setattr(services.getpass, "getuser", lambda: login)
        assert services.ensure_owner()[1].slug == slug
