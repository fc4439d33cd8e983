"""`make list` prints every run with its minutes and its bound; `make tensorboard` writes logs of all of them."""

from invented import result

import runs as tool
import vaelib


def test_the_list_has_a_line_per_run_and_the_sum_of_the_minutes():
    found = [
        result(seed=seed, bound=150.0 + seed)._replace(about={"seconds": 90.0, "finished": "2026-11-24T08:00"})
        for seed in (1, 2)
    ]
    head, *lines, total = tool.table(found).splitlines()
    assert head.split() == ["minutes", "-ELBO", "finished", "run"]
    assert [line.split() for line in lines] == [
        ["1.5", f"{150 + run.spec.seed}.0", "2026-11-24", run.spec.name] for run in found
    ]
    assert total.split()[0] == "3.0"
    assert "2 runs" in total


def test_the_list_and_the_logs_are_of_what_lies_in_runs(monkeypatch, tmp_path, capsys):
    asked = []
    monkeypatch.setattr(tool, "RUNS", tmp_path)
    monkeypatch.setattr(tool, "list_runs", lambda folder: asked.append(folder) or [result()])
    monkeypatch.setattr("sys.argv", ["runs.py", "--list", "--logs"])
    assert tool.main() == 0
    assert asked == [tmp_path]
    assert (tmp_path / "logs" / vaelib.RunSpec(beta=0.784).name).is_dir()
    assert "Logs of 1 runs" in capsys.readouterr().out
