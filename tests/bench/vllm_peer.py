"""vLLM's CPU build as a peer: a process of its own that runs the same requests.

`VllmPeer` starts it with the Python of `.venv-vllm`, which `make bench` makes from
`vllm.txt`; nothing else of doubletake needs that. Each line on its standard input is
one round; the answer is a line with the CPU seconds and the tokens. The import and the
start of the engine are not counted.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PYTHON = Path(__file__).parents[2] / ".venv-vllm/bin/python"


class VllmPeer:
    """A running vLLM engine with one model and one list of requests."""

    def __init__(self, hf: Any, prompts: dict[str, list[int]], limits: dict[str, int]):
        """Save the model, start the engine.

        Raises:
            RuntimeError: the engine does not start; the text is its last error line.
        """
        self.folder = tempfile.TemporaryDirectory()
        place = Path(self.folder.name)
        hf.save_pretrained(place / "model")
        wanted = {"prompts": prompts, "limits": limits}
        (place / "requests.json").write_text(json.dumps(wanted))
        errors = (place / "errors").open("w+")
        self.process = subprocess.Popen(
            [PYTHON, __file__, place],
            env=os.environ | {"OMP_NUM_THREADS": "1", "VLLM_LOGGING_LEVEL": "ERROR"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            self.version = self._answer()["version"]
        except RuntimeError as error:
            errors.seek(0)
            lines = errors.read().strip().splitlines() or ["no message"]
            raise RuntimeError(lines[-1]) from error

    def run(self) -> tuple[float, dict[str, list[int]]]:
        """CPU seconds of one round, and its tokens by request."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer = self._answer()
        return answer["seconds"], answer["tokens"]

    def close(self) -> None:
        """End the engine."""
        self.process.communicate()
        self.folder.cleanup()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:  # the engine may print lines of its own
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError("the engine ended")


def cpu_seconds() -> float:
    """CPU seconds of this process and its children that ended."""
    parts = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(part)[:2]) for part in parts)


def serve(place: Path) -> None:
    """Start the engine, then run a round for each line."""
    os.environ |= {
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
    }
    import torch
    import vllm

    torch.set_num_threads(1)
    engine = vllm.LLM(
        str(place / "model"),
        skip_tokenizer_init=True,
        dtype="float32",
        max_model_len=512,
        max_num_seqs=64,
        enable_prefix_caching=False,
    )
    wanted = json.loads((place / "requests.json").read_text())
    names = list(wanted["prompts"])
    prompts = [{"prompt_token_ids": wanted["prompts"][name]} for name in names]
    limits = [
        vllm.SamplingParams(
            temperature=0,
            max_tokens=wanted["limits"][name],
            ignore_eos=True,
            detokenize=False,
        )
        for name in names
    ]
    print(json.dumps({"version": vllm.__version__}), flush=True)
    for _ in sys.stdin:
        before = cpu_seconds()
        outputs = engine.generate(prompts, limits, use_tqdm=False)
        seconds = cpu_seconds() - before
        tokens = {
            name: list(output.outputs[0].token_ids)
            for name, output in zip(names, outputs, strict=True)
        }
        print(json.dumps({"seconds": seconds, "tokens": tokens}), flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
