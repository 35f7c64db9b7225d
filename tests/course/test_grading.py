import IPython
import pytest

from masktune.course.grading import NotYetError, check_of, expect
from masktune.errors import MaskTuneError


@check_of("double")
def check_double(double):
    """Twice the number."""
    expect(double(2) == 4, "two times two is four")


def test_a_right_answer_is_called_right(capsys):
    check_double(lambda number: 2 * number)
    assert capsys.readouterr().out == "double is right.\n"


def stub(number):
    raise NotImplementedError("exercise 1: write double")


@pytest.mark.parametrize(("answer", "said"), [(stub, "exercise 1: write double"), (abs, "two times two is four")])
def test_a_notebook_shows_one_sentence_for_a_stub_and_for_a_wrong_answer(answer, said, capsys):
    with pytest.raises(NotYetError, match=said):
        check_double(answer)
    shell = IPython.core.interactiveshell.InteractiveShell.instance()
    shell.user_ns |= {"check_double": check_double, "answer": answer}
    capsys.readouterr()
    shell.run_cell("check_double(answer)")
    assert capsys.readouterr().out.strip() == f"Not yet: {said}"


def test_an_error_of_the_students_own_code_is_left_as_it_is():
    with pytest.raises(ZeroDivisionError):
        check_double(lambda number: 1 / 0)


def refused(number):
    raise MaskTuneError(f"{number}: expected a tokenizer")


def test_what_the_package_refuses_of_an_answer_is_one_sentence_too():
    with pytest.raises(NotYetError, match="2: expected a tokenizer"):
        check_double(refused)


@check_of("half")
def check_half(half):
    """Half of the number."""
    expect(float(half(2)) == 1, "two divided by two is one")


def test_a_function_without_return_is_told_so():
    with pytest.raises(NotYetError, match="gave back nothing.*`return`"):
        check_half(lambda number: None)


@pytest.mark.parametrize("gave", [{"half": 1}, [1, 2], "one", len])
def test_a_result_of_another_kind_is_said_to_be_that(gave):
    with pytest.raises(NotYetError, match="what half gave back is not what was asked for"):
        check_half(lambda number: gave)


def test_an_error_about_none_inside_the_students_own_function_is_left_as_it_is():
    with pytest.raises(TypeError, match="NoneType"):
        check_half(lambda number: number + None)
