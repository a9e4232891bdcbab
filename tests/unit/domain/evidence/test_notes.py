"""Signed notes, as other tools write and read them."""

import pytest

from backoffice.domain.evidence.notes import CheckingKey, NoteRefused, SigningKey, TreeHead, check_note, read_head, sign

# The key of the documentation of Go's golang.org/x/mod/sumdb/note.
GO_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

KEY = SigningKey("books.example/1", bytes(range(32)))
HEAD = TreeHead("books.example/1", 20, bytes(32))


def test_keys_are_written_as_go_writes_them() -> None:
    key = SigningKey.read(GO_SECRET)
    assert str(key.checking) == GO_PUBLIC
    assert key.secret_text == GO_SECRET
    assert CheckingKey.read(GO_PUBLIC) == key.checking


def test_a_checkpoint_has_origin_size_and_root_and_one_signature() -> None:
    note = sign(HEAD, KEY)
    assert note.startswith("books.example/1\n20\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— books.example/1 ")
    assert note.endswith("\n")
    assert note.count("\n") == 5
    assert check_note(note, KEY.checking) == HEAD


def test_the_same_head_is_the_same_note() -> None:
    assert sign(HEAD, KEY) == sign(HEAD, KEY)


@pytest.mark.parametrize("old", ["books", "20", "AAAAAAA"])
def test_a_note_that_was_changed_is_refused(old: str) -> None:
    with pytest.raises(NoteRefused):
        check_note(sign(HEAD, KEY).replace(old, "21", 1), KEY.checking)


def test_a_note_of_another_key_is_refused() -> None:
    other = SigningKey("books.example/1", bytes(32))
    with pytest.raises(NoteRefused, match="not signed with the key"):
        check_note(sign(HEAD, other), KEY.checking)


@pytest.mark.parametrize(
    "text", ["", "x", "x\n1\n", "x\n1\nAA==\n", "x\n-1\nAA==\n\n", "x\n1\n!\n\n", "x\n01\nAA==\n\n", "x\n²\nAA==\n\n"]
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteRefused):
        read_head(text)


@pytest.mark.parametrize("text", ["", "PRIVATE+KEY+", GO_SECRET[:-4], GO_SECRET.replace("c74f", "c74e"), GO_PUBLIC])
def test_a_damaged_key_is_refused_without_being_told(text: str) -> None:
    with pytest.raises(NoteRefused) as refused:
        SigningKey.read(text)
    assert "AYEK" not in str(refused.value)
