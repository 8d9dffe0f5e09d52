"""The neural-network example: its data, its gradients, its training and its evaluation."""

import ast
import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "neural_network"

spec = importlib.util.spec_from_file_location("network", EXAMPLE / "network.py")
assert spec is not None
assert spec.loader is not None
network = importlib.util.module_from_spec(spec)
spec.loader.exec_module(network)


@pytest.fixture(scope="module")
def digits() -> dict[str, Any]:
    """Return the prepared digits."""
    return network.preprocess_function()


def train(digits: dict[str, Any], seed: int = 7, **parameters: float) -> dict[str, Any]:
    """Train with the smallest network that does well, but for what is given."""
    usual = {"learning_rate": 0.1, "hidden_layers": 1, "neurons_per_layer": 64, "dropout_rate": 0.1}
    return network.train_function(digits, **usual | parameters, context=SimpleNamespace(seed=seed))


def test_preprocessing_splits_the_digits(digits: dict[str, Any]) -> None:
    """Every digit is used once, a fifth of them for validation, and both parts hold all ten classes."""
    assert digits["x_train"].shape == (1438, 64)
    assert digits["x_validation"].shape == (359, 64)
    counts = np.bincount(digits["y_train"]) + np.bincount(digits["y_validation"])
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.bincount(digits["y_validation"], minlength=10).min() > 20


def test_preprocessing_scales_by_the_training_images(digits: dict[str, Any]) -> None:
    """Training images have zero mean and values within one; validation images are shifted by the same mean."""
    assert digits["x_train"].mean(axis=0) == pytest.approx(np.zeros(64), abs=1e-6)
    assert abs(digits["x_train"]).max() <= 1
    assert np.any(abs(digits["x_validation"].mean(axis=0)) > 1e-3)


def test_preprocessing_repeats(digits: dict[str, Any]) -> None:
    """The split does not depend on chance."""
    again = network.preprocess_function()
    for name, values in digits.items():
        assert np.array_equal(again[name], values), name


def test_gradients_are_the_slopes_of_the_loss() -> None:
    """Back-propagation agrees with finite differences, dropout included."""
    random = np.random.default_rng(3)
    layers = [(random.normal(size=shape), random.normal(size=shape[1])) for shape in [(5, 7), (7, 6), (6, 10)]]
    images, labels = random.normal(size=(4, 5)), np.array([0, 3, 9, 3])

    def loss_and_gradients() -> tuple[float, list[tuple[Any, Any]]]:
        return network.loss_and_gradients(layers, images, labels, 0.3, np.random.default_rng(5))

    step = 1e-6
    _, gradients = loss_and_gradients()
    for layer, gradient in zip(layers, gradients, strict=True):
        for values, slopes in zip(layer, gradient, strict=True):
            for place in np.ndindex(values.shape):
                original = values[place]
                values[place] = original + step
                above, _ = loss_and_gradients()
                values[place] = original - step
                below, _ = loss_and_gradients()
                values[place] = original
                assert slopes[place] == pytest.approx((above - below) / (2 * step), abs=1e-6)


def test_dropout_keeps_the_expected_activation() -> None:
    """Dropout silences the given fraction of neurons and makes up for it in the others."""
    mask = network.dropout_mask((1000, 100), 0.3, np.random.default_rng(1))
    assert np.mean(mask == 0) == pytest.approx(0.3, abs=0.01)
    assert mask.mean() == pytest.approx(1, abs=0.01)


def test_a_step_has_a_largest_length() -> None:
    """A gradient beyond the limit is shortened to it, a smaller one is followed as it is."""
    for slope, expected in [(1.0, -0.1), (100.0, -0.1 * network.LARGEST_GRADIENT)]:
        layers, velocities = [(np.zeros((1, 1)), np.zeros(1))], [(np.zeros((1, 1)), np.zeros(1))]
        network.descend(layers, velocities, [(np.full((1, 1), slope), np.zeros(1))], 0.1)
        assert layers[0][0].item() == pytest.approx(expected)


def test_training_returns_arrays_and_scalars(digits: dict[str, Any]) -> None:
    """The weights come back as one array a layer, with the loss that fell."""
    results = train(digits, hidden_layers=2)
    assert {name: np.shape(values) for name, values in results.items()} == {
        "training_loss": (),
        "loss_history": (network.EPOCHS,),
        "weights_0": (64, 64),
        "bias_0": (64,),
        "weights_1": (64, 64),
        "bias_1": (64,),
        "weights_2": (64, 10),
        "bias_2": (10,),
    }
    assert results["training_loss"] == results["loss_history"][-1] < 0.1 < results["loss_history"][0]


def test_the_seed_decides_the_weights(digits: dict[str, Any]) -> None:
    """The same seed trains the same network, another seed another one."""
    first, again, other = (train(digits, seed, learning_rate=0.01)["weights_0"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_accuracy_depends_on_the_learning_rate(digits: dict[str, Any]) -> None:
    """A good learning rate reads more than 97 % of unseen digits, one that is too small clearly fewer."""
    good, slow = (
        network.evaluate_function(digits, train(digits, learning_rate=rate))["validation_accuracy"]
        for rate in (0.1, 0.001)
    )
    assert good > 0.97
    assert slow < 0.93


def test_the_deepest_network_at_the_largest_learning_rate_stays_finite(
    digits: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The most violent combination of the grid trains without overflow; what overflows does so in its first epochs."""
    monkeypatch.setattr(network, "EPOCHS", 15)
    results = train(digits, seed=6, hidden_layers=3, neurons_per_layer=256, dropout_rate=0.5)
    assert np.isfinite(results["loss_history"]).all()


def test_evaluation_counts_every_validation_image(digits: dict[str, Any]) -> None:
    """Rows of the confusion matrix are the true digits, its diagonal the accuracy."""
    evaluation = network.evaluate_function(digits, train(digits))
    confusion = evaluation["confusion"]
    assert confusion.sum(axis=1).tolist() == np.bincount(digits["y_validation"]).tolist()
    assert confusion.trace() / confusion.sum() == pytest.approx(evaluation["validation_accuracy"])
    assert 0 < evaluation["validation_loss"] < 0.2


def test_the_experiment_only_declares() -> None:
    """The program defines nothing itself: its tasks can be imported on a node without starting the sweep again."""
    program = ast.parse((EXAMPLE / "experiment.py").read_text())
    assert not [node for node in ast.walk(program) if isinstance(node, ast.FunctionDef | ast.Lambda)]
    imported = next(node for node in program.body if isinstance(node, ast.ImportFrom))
    assert imported.module == network.__name__
    assert all(callable(getattr(network, name.name)) for name in imported.names)
