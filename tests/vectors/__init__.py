"""The test vectors of docs/vectors: `cases` are thought of by hand, `judging` asks the rules, `files` writes both down."""
