"""Train a small network on scikit-learn's handwritten digits, and log every epoch.

python -m tidelog_workers.demo.digits --lr 0.3 --hidden 64 --seed 1
"""

import argparse
import sys
import time

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import tidelog

Array = NDArray[np.float64]
DIGITS = np.arange(10)
DECAY = 0.1


def train(*, lr: float, hidden: int, seed: int, epochs: int, pause: float) -> None:
    images, labels = load_digits(return_X_y=True)
    x, x_val, y, y_val = train_test_split(
        images / 16.0, labels, test_size=0.25, stratify=labels, random_state=0
    )
    network = MLPClassifier(
        hidden_layer_sizes=(hidden,),
        solver="sgd",
        momentum=0.0,
        learning_rate="invscaling",
        learning_rate_init=lr,
        power_t=DECAY,
        batch_size=64,
        random_state=seed,
    )
    with tidelog.init(
        project="digits",
        group=f"lr {lr:g}, {hidden} hidden",
        config={"lr": lr, "hidden": hidden, "seed": seed, "epochs": epochs, "batch_size": 64},
        tags=[f"hidden-{hidden}"],
    ) as run:
        for epoch in range(1, epochs + 1):
            rate = lr / (getattr(network, "t_", 0) + 1) ** DECAY
            network.partial_fit(x, y, classes=DIGITS)
            learned, seen = on_training(network, x, y), on_validation(network, x_val, y_val)
            run.log({"lr": rate, **learned, **seen}, step=epoch)
            time.sleep(pause)
        sys.stdout.write(f"{run.name} {seen['val/accuracy']:.3f}\n")


def on_training(network: MLPClassifier, x: Array, y: Array) -> dict[str, float]:
    odds = network.predict_proba(x)
    return {
        "train/loss": log_loss(y, odds),
        "train/accuracy": accuracy_score(y, odds.argmax(axis=1)),
        "grad_norm": gradient_norm(network, x, odds - (y[:, None] == DIGITS)),
    }


def on_validation(network: MLPClassifier, x: Array, y: Array) -> dict[str, float]:
    odds = network.predict_proba(x)
    guesses = odds.argmax(axis=1)
    right = {f"class/{digit}": float(np.mean(guesses[y == digit] == digit)) for digit in DIGITS}
    return {"val/loss": log_loss(y, odds), "val/accuracy": accuracy_score(y, guesses), **right}


def gradient_norm(network: MLPClassifier, x: Array, errors: Array) -> float:
    """Return the length of the gradient of the mean loss over `x`, by backpropagation.

    errors  (n, 10) predicted odds minus the truth as 0 and 1
    """
    inner, outer = network.coefs_
    hidden = np.maximum(x @ inner + network.intercepts_[0], 0.0)
    back = (errors @ outer.T) * (hidden > 0.0)
    parts = (x.T @ back, back.sum(axis=0), hidden.T @ errors, errors.sum(axis=0))
    return float(np.sqrt(sum(np.sum(part**2) for part in parts)) / len(x))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lr", type=float, default=0.3)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between epochs")
    train(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
