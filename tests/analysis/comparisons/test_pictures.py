"""Each method of the study is introduced by its picture, its loss and two sentences."""

from html import unescape

import pytest
from bs4 import BeautifulSoup

from masktune import methods
from masktune.analysis.comparisons import numbers
from masktune.analysis.comparisons.pictures import PICTURES, STAGES, introduce
from masktune.study.design.load import load_study


def test_every_method_has_a_picture_and_two_sentences():
    assert set(methods.METHODS) | {"TAPT"} == set(PICTURES)
    for picture in PICTURES.values():
        assert set(picture.changes) <= set(STAGES)
        assert all(sentence.endswith(".") and ". " not in sentence for sentence in (picture.does, picture.asks))


@pytest.fixture(scope="module")
def study():
    return load_study("methods")


def test_a_method_is_shown_with_its_way_its_loss_and_its_sentences(study):
    labels = ["fine-tuning", "Product of Experts", "TAPT"]
    plain, experts, adapted = BeautifulSoup(introduce(study, labels).data, "html.parser").find_all("div")
    loss = numbers.cards(study, labels).set_index("label")["loss"]
    for shown, label in ((plain, "fine-tuning"), (experts, "Product of Experts"), (adapted, "TAPT")):
        assert shown.strong.get_text() == label and unescape(shown.code.get_text()) == loss[label]
    stages = [span.get_text() for span in experts.find_all("span") if not span.has_attr("aria-hidden")]
    assert stages == ["examples", "text", "encoder", "answer: times the bias model's", "loss"]
    assert "(Gururangan et al. 2020)" in adapted.get_text() and "(Devlin et al. 2019)" in plain.get_text()
    assert "has read the texts before" in adapted.get_text() and ": " not in plain.find_all("p")[1].get_text()
    assert PICTURES["product_of_experts"].does in experts.get_text()


def test_a_combination_is_no_method_of_its_own(study):
    with pytest.raises(KeyError):
        introduce(study, ["Mask-tuning + FreeLB"])
