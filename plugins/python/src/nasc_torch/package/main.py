"""The plugin torch/train, which needs the package nasc_torch: pip install 'nasc-plugin[torch]'."""

import nasc_plugin
from nasc_torch.evaluator import plugin

if __name__ == "__main__":
    nasc_plugin.serve(plugin)
