"""Logit adjustment: a student forgets how often its training photos showed each class.

A folder of photos shows some of a teacher's thousand classes far more often than others, and a student learns that too,
beside what the classes look like. Subtracting the logarithm of the frequencies from its logits, here from the biases of
its last layer, takes it back (Menon et al. 2021, Long-tail learning via logit adjustment). ThumbNet's paper does not do
this: its photos show all classes alike.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from thumbnet.classifier import Classifier

RAREST = 1e-6  # a class that no photo shows is not made certain by that


def class_prior(parts: list[tuple[list[np.ndarray], float, np.ndarray | None]]) -> Tensor:
    """How often each class is shown, as the teacher sees it: [C], sums to 1.

    `parts`: of each set of views the teacher's logits by round, each [N,C], the set's share of the batches, and how
    likely each view is to be drawn, [views]; none: all alike.
    """
    means = []
    for rounds, share, chances in parts:
        answers = [functional.softmax(torch.from_numpy(np.asarray(logits, np.float32)), dim=1) for logits in rounds]
        weights = torch.full((sum(map(len, rounds)),), 1.0) if chances is None else torch.from_numpy(chances).float()
        by_round = zip(answers, weights.split([len(rows) for rows in rounds]), strict=True)
        shown = torch.stack([drawn @ rows for rows, drawn in by_round]).sum(dim=0)
        means.append(share * shown / weights.sum())
    return torch.stack(means).sum(dim=0)


def take_back(student: Classifier, prior: Tensor, share: float) -> None:
    """Subtract `share` x log(`prior`) from a student's logits, for good."""
    head = student.network.get_classifier()
    if not isinstance(head, nn.Linear) or head.bias is None:
        raise ValueError("--prior needs a student that ends with a linear layer with a bias")
    with torch.no_grad():
        head.bias -= share * prior.clamp(min=RAREST).log()
