import torch
from torch import nn

from masktune.pretraining.muon import COEFFICIENTS, ITERATIONS, MOMENTUM, SCALE, Muon, orthogonalise


def by_hand(matrix):
    """The iteration on one matrix, by its singular values: odd polynomials act on them alone."""
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    values = values / matrix.norm()
    first, second, third = COEFFICIENTS
    for _ in range(ITERATIONS):
        values = first * values + second * values**3 + third * values**5
    return left @ torch.diag(values) @ right


def test_singular_values_come_near_one():
    torch.manual_seed(0)
    for shape in ((3, 8, 8), (2, 5, 12), (2, 12, 5)):
        matrices = torch.randn(shape)
        found = orthogonalise(matrices)
        for matrix, one in zip(matrices, found, strict=True):
            torch.testing.assert_close(one, by_hand(matrix), atol=1e-4, rtol=1e-4)
            assert (torch.linalg.svdvals(one) - 1).abs().max() < 0.5


def test_steps_are_those_of_the_formula():
    torch.manual_seed(0)
    weights = [nn.Parameter(torch.randn(4, 6)), nn.Parameter(torch.randn(4, 6)), nn.Parameter(torch.randn(3, 3))]
    unused = nn.Parameter(torch.randn(4, 6))
    expected, before = [weight.detach().clone() for weight in weights], unused.detach().clone()
    momenta = [torch.zeros_like(weight) for weight in expected]
    optimizer = Muon([*weights, unused], lr=0.1, weight_decay=0.2)
    for _ in range(3):
        for number, weight in enumerate(weights):
            weight.grad = torch.randn_like(weight)
            momenta[number] = MOMENTUM * momenta[number] + (1 - MOMENTUM) * weight.grad
            update = orthogonalise((MOMENTUM * momenta[number] + (1 - MOMENTUM) * weight.grad)[None])[0]
            scale = 0.1 * SCALE * max(weight.shape) ** 0.5
            expected[number] = (1 - 0.1 * 0.2) * expected[number] - scale * update
        optimizer.step()
    for weight, one in zip(weights, expected, strict=True):
        torch.testing.assert_close(weight.detach(), one)
    assert torch.equal(unused, before)
