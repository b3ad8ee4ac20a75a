"""Its gradients are what differences of its results say."""

from nasc_plugin import testing

from main import plugin


def test_gradients():
    shape = (2, 3, 4, 5)
    testing.gradients(plugin, "squash", [shape], shape)


def test_declaration():
    plugin.check()
