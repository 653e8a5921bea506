from flask import Flask


def test_load_says_what_there_is_and_what_could_not_be_used(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["units", "load"])
    assert result.exit_code == 0, result.output
    assert "13476 units (0 new), 10617 changes" in result.output
    assert "03980" in result.output
