"""The explorer of a study of which only some tables are made."""

from reruns import jobs

from explorer.chunks import read_chunk

ONLY_MADE = ("--config", 'explorer={"only_made": true}')
STUDY = "results/pocket/pocket-problems"


def shown(checkout):
    """What the index of the explorer says of the study."""
    (study,) = read_chunk(checkout.folder / "results/explorer/data", "index")["studies"]
    return study


def test_what_is_there_is_shown_and_nothing_more_is_made(fresh):
    made = fresh.run(f"{STUDY}/events.parquet", f"{STUDY}/truth.parquet")
    assert made.returncode == 0, made.stdout[-4000:]
    every = jobs(fresh.ask("-n", "explorer").stdout)
    assert {"measure_attribution", "measure_mistakes", "write_explorer"} <= set(every)
    result = fresh.run("explorer", *ONLY_MADE)
    assert result.returncode == 0, result.stdout[-4000:]
    assert set(jobs(result.stdout)) == {"write_explorer", "explorer"}
    assert shown(fresh)["views"] == ["truth"]
    assert shown(fresh)["thoughts"] == 12
    assert "Nothing to be done" in fresh.ask("-n", "explorer", *ONLY_MADE).stdout
    (fresh.study() / "truth.parquet").unlink()
    later = jobs(fresh.ask("-n", "explorer", *ONLY_MADE).stdout)
    assert set(later) == {"write_explorer", "explorer"}
