"""How a training that exists already logs to Tidelog, for each common way to train."""

from typing import NamedTuple


class Snippet(NamedTuple):
    """A tab of /start."""

    slug: str
    name: str
    code: str


SNIPPETS = [
    Snippet(
        "pytorch",
        "PyTorch",
        """\
import tidelog

with tidelog.init(config={"lr": 1e-3, "epochs": epochs}) as run:
    for epoch in range(epochs):
        for batch, target in loader:
            loss = criterion(model(batch), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            run.log({"train/loss": loss})
        run.log({"val/accuracy": validate(model)})
""",
    ),
    Snippet(
        "lightning",
        "Lightning",
        """\
import lightning as L
import tidelog

class Tidelog(L.Callback):
    def on_train_start(self, trainer, module):
        self.run = tidelog.init(config=dict(module.hparams))

    def on_train_batch_end(self, trainer, module, outputs, batch, index):
        self.run.log(dict(trainer.callback_metrics), step=trainer.global_step)

    def on_validation_end(self, trainer, module):
        if not trainer.sanity_checking:
            self.run.log(dict(trainer.callback_metrics), step=trainer.global_step)

    def on_train_end(self, trainer, module):
        self.run.finish()

trainer = L.Trainer(callbacks=[Tidelog()])
""",
    ),
    Snippet(
        "transformers",
        "Transformers",
        """\
import tidelog
from transformers import TrainerCallback

class Tidelog(TrainerCallback):
    def on_train_begin(self, args, state, control, **kwargs):
        self.run = tidelog.init(config=args.to_dict())

    def on_log(self, args, state, control, logs=None, **kwargs):
        numbers = {k: v for k, v in (logs or {}).items() if isinstance(v, (int, float))}
        self.run.log(numbers, step=state.global_step)

    def on_train_end(self, args, state, control, **kwargs):
        self.run.finish()

trainer.add_callback(Tidelog())
""",
    ),
    Snippet(
        "keras",
        "Keras",
        """\
import keras
import tidelog

class Tidelog(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.run = tidelog.init(config=self.params)

    def on_epoch_end(self, epoch, logs=None):
        self.run.log(logs or {}, step=epoch)

    def on_train_end(self, logs=None):
        self.run.finish()

model.fit(x, y, epochs=10, callbacks=[Tidelog()])
""",
    ),
    Snippet(
        "jax",
        "JAX",
        """\
import tidelog

with tidelog.init(config={"lr": 1e-3}) as run:
    for step, batch in enumerate(batches):
        params, state, loss = update(params, state, batch)
        if step % 10 == 0:  # reading a value waits for the device
            run.log({"train/loss": loss}, step=step)
""",
    ),
    Snippet(
        "sklearn",
        "scikit-learn",
        """\
import tidelog
from sklearn.linear_model import SGDClassifier

model = SGDClassifier(loss="log_loss")
with tidelog.init(config=model.get_params()) as run:
    for epoch in range(50):
        model.partial_fit(x_train, y_train, classes=classes)
        run.log({"val/accuracy": model.score(x_val, y_val)}, step=epoch)
""",
    ),
    Snippet(
        "xgboost",
        "XGBoost",
        """\
import tidelog
import xgboost as xgb

class Tidelog(xgb.callback.TrainingCallback):
    def after_iteration(self, model, epoch, evals_log):
        run.log(
            {f"{data}/{name}": values[-1]
             for data, metrics in evals_log.items()
             for name, values in metrics.items()},
            step=epoch,
        )
        return False

with tidelog.init(config=params) as run:
    xgb.train(params, train, evals=[(val, "val")], callbacks=[Tidelog()])
""",
    ),
    Snippet(
        "notebook",
        "Notebook",
        """\
import tidelog

run = tidelog.init("notebooks", config={"lr": 0.1})

# in the cells that train
run.log({"train/loss": loss}, step=step)

# when you are done
run.finish()
""",
    ),
]
