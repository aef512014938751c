"""Cases of every rule: one module per topic, called as the module of its rules."""

import pytest

pytest.register_assert_rewrite(f"{__name__}.cases")
