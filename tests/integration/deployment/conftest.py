"""Production's PostgreSQL, one for each file of tests."""

from collections.abc import Iterator

import pytest

from tests.integration.deployment.production import Production, running


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with running(tmp_path_factory.mktemp("roles")) as ready:
        yield ready
