from sciflow.schedulers.stand_ins import StandIns


def test_the_same_name_has_the_same_stand_in() -> None:
    """By kind; what is a stand-in already stays one."""
    names = StandIns()
    assert [names.of("user", name) for name in ("chen", "li", "chen")] == ["user1", "user2", "user1"]
    assert names.of("account", "chen") == "account1"
    assert names.of("user", "user2") == "user2"
    assert (names.of("user", ""), names.count("user"), names.count("job")) == ("", 2, 0)


def test_of_hosts_the_number_stays() -> None:
    """It says which are alike; kinds of nodes are told apart by letters, and domains are gone."""
    names = StandIns()
    assert names.hosts("cn[001-004,007],gpu1.uni.edu,cn12") == "node[001-004,007],nodeb1,node12"
    assert [names.host(one) for one in ("login", "login.uni.edu", "gpu2", "nodeb1")] == [
        "host1",
        "host2",
        "nodeb2",
        "nodeb1",
    ]
    assert names.hosts("None assigned") == "None assigned"
    assert names.job_ids("12[3].pbs01.uni.edu 13.login") == "12[3].nodec01 13.host1"


def test_many_kinds_of_nodes_have_a_letter_each() -> None:
    """And two, where letters are too few."""
    names = StandIns()
    shown = [names.host(f"{chr(97 + kind // 26)}{chr(97 + kind % 26)}1") for kind in range(30)]
    assert (shown[0], shown[1], shown[25], shown[26], shown[29]) == ("node1", "nodeb1", "nodez1", "nodeaa1", "nodead1")
    assert len(set(shown)) == 30


def test_any_text_tells_of_no_name_that_is_known() -> None:
    """Nor of addresses, paths and secrets; what only looks like a name is left."""
    names = StandIns()
    for kind, name in (("user", "chen"), ("account", "ab123"), ("job", "up"), ("job", "x")):
        names.of(kind, name)
    names.host("cn1")
    text = "chen (ab123) on cn7.uni.edu is up: chen.li@uni.edu, /home/chen/run, 10.0.0.1, password=hunter22 chenille x"
    assert names.text(text) == (
        "user1 (account1) on node7 is up: user2@example.org, /path1, host1, password=[redacted] chenille x"
    )


def test_a_shape_has_punctuation_only() -> None:
    """And what JSON writes for a sign, without which it could not be read."""
    assert StandIns.shape('a1_"b\\n\\u001f\\\\ö%') == 'x0_"x\\n\\u001f\\\\x%'
