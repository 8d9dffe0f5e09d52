"""The three tasks of the example: prepare the digits, train a multi-layer perceptron on them, and evaluate it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Layer = tuple[Array, Array]  # weights and bias

DIGITS = Path(__file__).resolve().with_name("digits.csv.gz")
CLASSES = 10
BRIGHTEST_PIXEL = 16.0
SPLIT_SEED = 1998
VALIDATION_FRACTION = 0.2

EPOCHS = 30
BATCH_SIZE = 32
MOMENTUM = 0.9
LARGEST_GRADIENT = 2.0


def preprocess_function() -> dict[str, Array]:
    """Read the digits, scale them to zero mean, and split them into training and validation images."""
    table = np.loadtxt(DIGITS, delimiter=",", dtype=np.float32)
    images, labels = table[:, :-1] / BRIGHTEST_PIXEL, table[:, -1].astype(np.int64)
    # A fixed seed: all combinations are judged on the same images.
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    validation, training = np.split(order, [int(VALIDATION_FRACTION * len(labels))])
    mean = images[training].mean(axis=0)  # of the training images alone, so that nothing leaks into validation
    return {
        "x_train": images[training] - mean,
        "y_train": labels[training],
        "x_validation": images[validation] - mean,
        "y_validation": labels[validation],
    }


def train_function(
    preprocess_data: Mapping[str, Array],
    learning_rate: float,
    hidden_layers: int,
    neurons_per_layer: int,
    dropout_rate: float,
    context: Any,
) -> dict[str, Any]:
    """Train by mini-batch gradient descent with momentum; return the loss by epoch, the weights and the biases."""
    random = np.random.default_rng(context.seed)
    images, labels = np.asarray(preprocess_data["x_train"]), np.asarray(preprocess_data["y_train"])
    layers = initial_layers([images.shape[1], *[neurons_per_layer] * hidden_layers, CLASSES], random)
    velocities = [(np.zeros_like(weights), np.zeros_like(bias)) for weights, bias in layers]
    loss_history = np.zeros(EPOCHS)
    for epoch in range(EPOCHS):
        order = random.permutation(len(labels))
        for start in range(0, len(order), BATCH_SIZE):
            batch = order[start : start + BATCH_SIZE]
            loss, gradients = loss_and_gradients(layers, images[batch], labels[batch], dropout_rate, random)
            loss_history[epoch] += loss * len(batch) / len(order)
            descend(layers, velocities, gradients, learning_rate)
    results: dict[str, Any] = {"training_loss": float(loss_history[-1]), "loss_history": loss_history}
    for number, (weights, bias) in enumerate(layers):
        results |= {f"weights_{number}": weights, f"bias_{number}": bias}
    return results


def evaluate_function(preprocess_data: Mapping[str, Array], train_model: Mapping[str, Any]) -> dict[str, Any]:
    """Return accuracy, loss and confusion matrix (rows: true digit, columns: prediction) on the validation images."""
    images, labels = np.asarray(preprocess_data["x_validation"]), np.asarray(preprocess_data["y_validation"])
    depth = sum(name.startswith("weights_") for name in train_model)
    layers = [(np.asarray(train_model[f"weights_{n}"]), np.asarray(train_model[f"bias_{n}"])) for n in range(depth)]
    log_probabilities = log_softmax(forward(layers, images)[-1])
    predictions = log_probabilities.argmax(axis=1)
    confusion = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    np.add.at(confusion, (labels, predictions), 1)
    return {
        "validation_accuracy": float(np.mean(predictions == labels)),
        "validation_loss": cross_entropy(log_probabilities, labels),
        "confusion": confusion,
    }


def initial_layers(widths: list[int], random: np.random.Generator) -> list[Layer]:
    """Draw weights after He et al. (2015), which keeps the variance through layers of rectifiers; biases are zero."""
    return [
        (
            random.standard_normal((inputs, outputs), dtype=np.float32) * np.float32(np.sqrt(2 / inputs)),
            np.zeros(outputs, dtype=np.float32),
        )
        for inputs, outputs in pairwise(widths)
    ]


def forward(layers: list[Layer], images: Array, masks: list[Array] | None = None) -> list[Array]:
    """Return the input of every layer, and last the scores of the ten digits; `masks` drop out hidden neurons."""
    activations = [images]
    for number, (weights, bias) in enumerate(layers):
        output = activations[-1] @ weights + bias
        if number < len(layers) - 1:
            output = np.maximum(output, 0)
            if masks is not None:
                output *= masks[number]
        activations.append(output)
    return activations


def loss_and_gradients(
    layers: list[Layer], images: Array, labels: Array, dropout_rate: float, random: np.random.Generator
) -> tuple[float, list[Layer]]:
    """Return the mean cross-entropy of a batch, and its gradients by back-propagation."""
    masks = [dropout_mask((len(images), len(bias)), dropout_rate, random) for _, bias in layers[:-1]]
    *inputs, scores = forward(layers, images, masks)
    log_probabilities = log_softmax(scores)
    delta = np.exp(log_probabilities)
    delta[np.arange(len(labels)), labels] -= 1
    delta /= len(labels)
    gradients: list[Layer] = []
    for number in reversed(range(len(layers))):
        gradients.insert(0, (inputs[number].T @ delta, delta.sum(axis=0)))
        if number > 0:
            # A neuron that was dropped or not active has a zero here, and passes nothing back.
            delta = (delta @ layers[number][0].T) * (inputs[number] > 0) * masks[number - 1]
    return cross_entropy(log_probabilities, labels), gradients


def dropout_mask(shape: tuple[int, int], rate: float, random: np.random.Generator) -> Array:
    """Return zeros at `rate`, and elsewhere the factor that keeps the expected activation as it is at evaluation."""
    return (random.random(shape, dtype=np.float32) >= rate) / np.float32(1 - rate)


def descend(layers: list[Layer], velocities: list[Layer], gradients: list[Layer], learning_rate: float) -> None:
    """Move weights and biases, in place, one step along the gradients' running sum."""
    # Without a limit, deep networks at the largest learning rate overflow instead of merely learning badly.
    norm = np.sqrt(sum(float(np.vdot(slope, slope)) for gradient in gradients for slope in gradient))
    rate = learning_rate * (LARGEST_GRADIENT / max(norm, LARGEST_GRADIENT))
    for layer, velocity, gradient in zip(layers, velocities, gradients, strict=True):
        for values, speed, slope in zip(layer, velocity, gradient, strict=True):
            speed *= MOMENTUM
            speed -= rate * slope
            values += speed


def log_softmax(scores: Array) -> Array:
    """Return logarithms of the probabilities, shifted by the largest score so that none overflows."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def cross_entropy(log_probabilities: Array, labels: Array) -> float:
    """Return the mean negative log-probability of the true digits."""
    return float(-log_probabilities[np.arange(len(labels)), labels].mean())
