"""What ignore files, settings and Git leave out of a walk, and that they mean what they mean to Git."""

from __future__ import annotations

import time
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from indexer.walk.ignore import Rules
from tests.trees import Settings, found, git, skipped, write_files
from tests.trees import no_global_excludes as no_global_excludes

IGNORES = {
    "a name anywhere": ({".gitignore": "skip\n"}, ["skip", "a/skip", "a/skip/b.c"], ["a/skipped.c"]),
    "a folder only": ({".gitignore": "skip/\n"}, ["skip/b.c"], ["a/skip"]),
    "a suffix": ({".gitignore": "*.o.c\n"}, ["b.o.c", "a/x.y.o.c"], ["o.c"]),
    "an anchored path": ({".gitignore": "/one\na/two\n"}, ["one", "a/two"], ["a/one", "b/a/two"]),
    "stars within a segment": ({".gitignore": "a/*.c\n"}, ["a/x.c"], ["a/b/x.c", "x.c"]),
    "two stars": (
        {".gitignore": "a/**/z\n/b/**\n**/q/r\n"},
        ["a/z", "a/1/2/z", "b/x", "w/q/r"],
        ["z", "c/b"],
    ),
    "a range that ends before it begins is passed over": (
        {".gitignore": "[z-a].c\nx[a-Z].c\n*.o\n"},
        ["b.o"],
        ["z.c", "xb.c"],
    ),
    "classes": (
        {".gitignore": "[[:alpha:]].c\n*.[[:digit:][:upper:]]\n[![:alnum:]_-]x\n[[:none:]].d\n[:alpha:].e\n"},
        ["a.c", "Z.c", "b/x.7", "x.B", "+x", "l.e", ":.e"],
        ["1.c", "aa.c", "x.b", "yx", "_x", "n.d", "[.d", "b.e"],
    ),
    "classes of signs": (
        {".gitignore": "[[:punct:]].c\n[[:space:]].d\n[[:xdigit:]].e\nd/[[:lower:]]/*.f\n"},
        ["+.c", "[.c", "_.c", "~.c", "-.c", "!.c", " .d", "F.e", "9.e", "d/x/y.f"],
        ["a.c", "1.c", "x.d", "g.e", "d/X/y.f"],
    ),
    "brackets that mean more to regular expressions": (
        {".gitignore": "[[a].c\nx[&&b].c\nx[+--].d\nx[\\[~].e\n"},
        ["[.c", "a.c", "x&.c", "xb.c", "x,.d", "x-.d", "x[.e", "x~.e"],
        ["b.c", "xa.c", "x..d", "x\\.e"],
    ),
    "a later pattern wins": ({".gitignore": "*.c\n!keep.c\n"}, ["x.c"], ["keep.c", "a/keep.c"]),
    "nothing returns from an excluded folder": ({".gitignore": "a/\n!a/keep.c\n"}, ["a/keep.c"], ["keep.c"]),
    "a deeper file wins": ({".gitignore": "*.c\n", "a/.gitignore": "!*.c\n"}, ["x.c"], ["a/x.c", "a/b/x.c"]),
    "a deeper file holds only below": (
        {"a/.gitignore": "/x.c\ny.c\n"},
        ["a/x.c", "a/b/y.c"],
        ["x.c", "a/b/x.c", "y.c"],
    ),
    "comments, escapes, blanks": (
        {".gitignore": "# no\n\n\\#yes\n\\!bang\nend\\ \ntrail   \n"},
        ["#yes", "!bang", "end ", "trail"],
        ["no", "yes"],
    ),
    "windows line ends and a mark": (
        {".gitignore": b"\xef\xbb\xbfone\r\ntwo\r\n"},
        ["one", "two"],
        ["three"],
    ),
    "broken patterns are passed over": ({".gitignore": "[\n\\\n!\n/\nskip\n"}, ["skip"], ["x", "["]),
    "hidden files and folders": ({}, [".env", ".github/x.yml", "a/.b/c.py"], ["a/b.py"]),
    "own ignore file": ({".codewhereignore": "old/\n"}, ["old/x.c"], ["new/x.c"]),
    "own file brings back a file": (
        {".gitignore": "*.gen.c\n", ".codewhereignore": "!api.gen.c\n"},
        ["x.gen.c"],
        ["a/api.gen.c"],
    ),
    "own file brings back a folder": (
        {".gitignore": "build/\n*.o\n", ".codewhereignore": "!build/\n"},
        ["build/x.o"],
        ["build/a/x.c"],
    ),
    "own file reaches into a dropped folder": (
        {".gitignore": "build/\n", ".codewhereignore": "!build/gen/*.c\n"},
        ["build/x.c", "build/gen/deep/x.c", "build/other/x.c", "b/build/gen/x.c"],
        ["build/gen/x.c"],
    ),
    "own file reaches by two stars": (
        {".gitignore": "/out\n", ".codewhereignore": "!out/**/api.c\n"},
        ["out/x.c"],
        ["out/api.c", "out/a/b/api.c"],
    ),
    "own file brings back hidden files": (
        {".codewhereignore": "!.github/\n"},
        [".env"],
        [".github/w/ci.yml"],
    ),
    "what one's own file drops stays dropped": ({".codewhereignore": "a/\n!a/x.c\n"}, ["a/x.c"], ["x.c"]),
}


@pytest.mark.parametrize("repository", [False, True], ids=["plain folder", "work tree"])
@pytest.mark.parametrize(("rules", "dropped", "kept"), IGNORES.values(), ids=IGNORES)
def test_ignore_files_drop_what_they_name_and_nothing_else(tmp_path, rules, dropped, kept, repository):
    assert not set(dropped) & set(kept)
    for number, path in enumerate([*dropped, *kept]):
        # Each path gets a tree of its own, as "skip" and "skip/b.c" cannot stand side by side.
        root = write_files(tmp_path / str(number), {**rules, path: "x"})
        if repository:
            git(root, "init", "-q")
        assert found(root) == ([path] if path in kept else [])


def test_settings_win_over_every_ignore_file(tmp_path):
    root = write_files(tmp_path, {".codewhereignore": "!a.c\n!b.c\n", "a.c": "x", "b.c": "x", "d/e.c": "x"})
    assert found(root, Settings(exclude=("a.c", "d/"))) == ["b.c"]


def test_patterns_print_no_warnings(recwarn):
    Rules(["[[:alpha:]].c", "[[a].c", "[a&&b].c", "[a--b].c", "[--b].c", "[a||b].c", "[a~~b].c", "# [[a]"])
    assert not recwarn.list


names = st.sampled_from(["a", "b", "ab", "c.x", "a.c", "[b]", "d d"])


pieces = st.sampled_from(
    [
        *("a", "b", "*", "**", "a*", "*.c", "?", "[ab]", "[!a]", "ab", "c.x", "***", "d d", "\\a", "*b*"),
        *("[[:alpha:]]", "[![:punct:]]*", "[[:print:]]b*", "[[a]?[]]"),
    ]
)


patterns = st.builds(
    lambda bang, lead, parts, tail: bang + lead + "/".join(parts) + tail,
    st.sampled_from(["", "", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(pieces, min_size=1, max_size=3),
    st.sampled_from(["", "", "/", " "]),
)


@pytest.fixture(scope="module")
def work_tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    parts = ["a", "b", "ab", "d d"]
    leaves = ["a.c", "c.x", "[b]", "bb"]
    for leaf in leaves:
        write_files(root, {leaf: "x", **{f"{one}/{leaf}": "x" for one in parts}})
        write_files(root, {f"{one}/{two}/{leaf}": "x" for one in parts for two in parts})
    git(root, "init", "-q")
    return root


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(top=st.lists(patterns, max_size=5), nested=st.lists(patterns, max_size=3))
@example(top=["a", "!/**/"], nested=[])
@example(top=["b/**/", "!b/**/a/"], nested=[])
@pytest.mark.parametrize("suspicious", [False, True], ids=["as they come", "all of them suspicious"])
def test_any_ignore_files_mean_what_they_mean_to_git(work_tree, suspicious, top, nested):
    with patch("indexer.walk.ignore.has_many_wildcards", lambda line: suspicious):
        compare_with_git(work_tree, top, nested)


def compare_with_git(work_tree, top, nested):
    write_files(work_tree, {".gitignore": "\n".join(top), "a/.gitignore": "\n".join(nested)})
    listed = git(work_tree, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    assert found(work_tree) == sorted(
        (path for path in listed if path and not path.endswith(".gitignore")),
        key=lambda path: path.split("/"),
    )


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 20 + "*b", "a" * 200 + ".c"),
        ("**/a/" * 20 + "b", "a/" * 120 + "x.c"),
        ("a**" * 30 + "b", "a" * 240 + ".c"),
        ("!" + "*?" * 20 + "b", "a" * 200 + ".c"),
        ("[a-z]*" * 20 + "[0-9]", "a" * 200 + ".c"),
    ],
    ids=["stars", "double stars", "stars in a row", "negated", "classes"],
)
def test_no_pattern_takes_long(tmp_path, pattern, path):
    """Both come from repositories of strangers."""
    root = write_files(tmp_path, {".gitignore": f"{pattern}\n", path: "x"})
    begin = time.process_time()
    assert found(root) == [path]
    assert time.process_time() - begin < 2


@pytest.mark.parametrize("suspicious", [False, True])
@given(
    lines=st.lists(st.text(max_size=20), max_size=5),
    path=st.text(st.characters(exclude_characters="/"), min_size=1),
)
def test_no_pattern_and_no_name_breaks_the_rules(suspicious, lines, path):
    with patch("indexer.walk.ignore.has_many_wildcards", lambda line: suspicious):
        rules = Rules(lines)
    assert rules.verdict(path, path, 1, False) in (True, False, None)
    assert rules.reaches_below(path) in (True, False)


def test_exclude_files_of_git_hold_inside_a_work_tree(tmp_path, no_global_excludes):
    root = write_files(tmp_path, {"a.tmp": "x", "b.bak": "x", "c.log": "x", "d.c": "x"})
    git(root, "init", "-q")
    (root / ".git/info/exclude").write_text("*.tmp\n")
    write_files(no_global_excludes, {"config/git/ignore": "*.bak\n"})
    assert found(root) == ["c.log", "d.c"]
    git(root, "config", "--global", "core.excludesFile", "~/link")
    write_files(no_global_excludes, {"mine": "*.log\n"})
    (no_global_excludes / "link").symlink_to("mine")
    assert found(root) == ["b.bak", "d.c"]


def test_a_folder_inside_a_work_tree_obeys_the_rules_above_it(tmp_path):
    top = write_files(
        tmp_path / "top", {".gitignore": "*.tmp\nsrc/gen/\n/lib.c\n", ".codewhereignore": "src/old/\n"}
    )
    write_files(top, {f"src/{path}": "x" for path in ("a.tmp", "gen/x.c", "old/x.c", "lib.c", "in/gen/y.c")})
    assert found(top / "src") == ["a.tmp", "gen/x.c", "in/gen/y.c", "lib.c", "old/x.c"]
    git(top, "init", "-q")
    (top / ".git/info/exclude").write_text("src/in/gen\n")
    assert found(top / "src") == ["lib.c"]


def test_a_nested_repository_has_rules_of_its_own(tmp_path):
    root = write_files(
        tmp_path, {".gitignore": "*.x\n", "sub/a.x": "x", "sub/b.y": "x", "sub/.gitignore": "*.y\n"}
    )
    git(root, "init", "-q")
    git(root / "sub", "init", "-q")
    (root / "sub/.git/info/exclude").write_text("c.z\n")
    write_files(root, {"sub/c.z": "x", "c.z": "x"})
    assert found(root) == ["c.z", "sub/a.x"]


def test_submodules_are_walked_and_other_work_trees_of_the_same_repository_are_not(tmp_path):
    library = write_files(tmp_path / "library", {"lib.c": "x"})
    root = write_files(tmp_path / "root", {"main.c": "x"})
    for folder in (library, root):
        git(folder, "init", "-q")
        git(folder, "add", ".")
        git(folder, "commit", "-qm", "start")
    git(root, "submodule", "--quiet", "add", str(library), "sub")
    git(root, "worktree", "add", "-q", "feature")
    (tmp_path / "root/.git/modules/sub/info").mkdir(exist_ok=True)
    write_files(root, {".git/modules/sub/info/exclude": "local.c\n", "sub/local.c": "x"})
    assert found(root) == ["main.c", "sub/lib.c"]
    assert "work tree" in skipped(root)["feature/"]
    assert found(root / "feature") == ["main.c"]
    write_files(root, {".codewhereignore": "!feature/\n"})
    assert found(root) == ["feature/main.c", "main.c", "sub/lib.c"]


def test_a_linked_work_tree_obeys_the_exclude_file_of_its_repository(tmp_path):
    root = write_files(tmp_path / "root", {"main.c": "x"})
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "start")
    (root / ".git/info/exclude").write_text("local.c\n")
    git(root, "worktree", "add", "-q", "../linked")
    write_files(tmp_path / "linked", {"local.c": "x", "more.c": "x"})
    assert found(tmp_path / "linked") == ["main.c", "more.c"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (".git", b"gitdir: " + b"a" * 4_000),
        (".git/commondir", b"a\0b"),
        (".git/commondir", b"loop"),
        (".git/info/exclude", None),
    ],
)
def test_git_data_that_leads_nowhere_does_not_stop_the_walk(tmp_path, no_global_excludes, file, content):
    root = write_files(tmp_path, {"main.c": "x", "sub/inner.c": "x"})
    path = root / "sub" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    if file != ".git":
        (root / "sub/.git/HEAD").write_text("ref: refs/heads/main\n")
        (root / "sub/.git/loop").symlink_to("loop")
    if content is None:
        path.symlink_to(path.name)
    else:
        path.write_bytes(content)
    assert found(root) == ["main.c", "sub/inner.c"]
