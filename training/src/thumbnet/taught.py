"""What a student learns from labels and from the teacher, also of mixed pictures (CL, KD, pooled features)."""

from torch import Tensor, nn
from torch.nn import functional

from thumbnet.batch import Batch, given
from thumbnet.classifier import Output
from thumbnet.config import Weights
from thumbnet.losses import classification, distillation, relative_error


def taught(
    guess: Output, batch: Batch, w: Weights, classes: Tensor, projector: nn.Module | None = None
) -> dict[str, Tensor]:
    """What a student's answers [N, teacher classes] lack: labels (CL) and teacher's answers (KD) over the data's own
    `classes`, the teacher's answers over all, and its pooled features."""
    terms, known = {}, batch.labels >= 0
    if w.cl:
        terms["cl"] = w.cl * _labelled(guess.logits[:, classes], batch)
    if w.kd and known.any():
        target = soft_targets(given(batch.logits)[:, classes], batch, w.temperature)
        terms["kd"] = w.kd * distillation(guess.logits[known][:, classes], target[known], w.temperature)
    if w.kd_all:
        target = soft_targets(given(batch.logits), batch, w.temperature)
        terms["kd_all"] = w.kd_all * distillation(guess.logits, target, w.temperature)
    if w.pooled:
        pooled = projector(guess.pooled) if projector else guess.pooled
        terms["pooled"] = w.pooled * relative_error(pooled, _blend(given(batch.pooled), batch))
    return terms


def _labelled(logits: Tensor, batch: Batch) -> Tensor:
    if batch.share is None:
        return classification(logits, batch.labels)
    partners = batch.labels[given(batch.partners)]
    return classification(logits, batch.labels, batch.share) + classification(logits, partners, 1 - batch.share)


def _blend(value: Tensor, batch: Batch) -> Tensor:
    """What the teacher would say of mixed pictures if it answered for each part: [N,...] -> [N,...]."""
    if batch.share is None:
        return value
    return value[given(batch.partners)].lerp(value, batch.share[:, None])


def soft_targets(logits: Tensor, batch: Batch, temperature: float) -> Tensor:
    """Logits [N,C] whose softened probabilities are those of the mixed pictures' parts."""
    if batch.share is None:
        return logits
    return temperature * _blend(functional.softmax(logits / temperature, dim=1), batch).clamp(min=1e-12).log()
