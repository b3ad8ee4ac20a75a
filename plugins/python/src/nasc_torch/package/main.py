"""The plugin torch/train, which needs the package nasc_torch: pip install 'nasc-plugin[torch]'."""

import os

import nasc_plugin

# Threads of PyTorch that have nothing to do sleep, and leave the processor to other trials.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from nasc_torch.evaluator import plugin  # noqa: E402

if __name__ == "__main__":
    nasc_plugin.serve(plugin)
