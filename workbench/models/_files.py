"""An estimator as bytes and back, by skops: no code is in the file, and only types named here are made from it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np

from workbench.errors import ModelError

__all__ = ["TRUSTED", "dumped", "loaded"]

#: What is made from a file besides scikit-learn's public estimators, numpy's arrays and plain values, which skops trusts by
#: itself. The list is fixed and short on purpose. The two kinds of trees index memory by what is in the file, without looking;
#: that is why a file is read only after its hash was found in a card.
TRUSTED = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._classification.balanced_accuracy_score",
    "sklearn.metrics._scorer._CurveScorer",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.model_selection._split.TimeSeriesSplit",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils._metadata_requests.MetadataRequest",
    "sklearn.utils._metadata_requests.MethodMetadataRequest",
)
#: The oldest time that a zip file can name: the same estimator is to give the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


def dumped(estimator: Any) -> bytes:
    """Return a fitted estimator as bytes, the same ones for the same estimator.

    Raises
    ------
    ModelError
        It holds a type that could not be read back: the sentence names it.
    """
    import skops.io

    try:
        data = _settled(skops.io.dumps(estimator))
    except (TypeError, ValueError) as error:
        raise ModelError(f"{type(estimator).__name__} cannot be written to a file: {error}") from None
    foreign = _foreign(data)
    if foreign:
        raise ModelError(f"{type(estimator).__name__} holds {', '.join(foreign)}, {_ONLY}")
    return data


def loaded(data: bytes, source: str = "this file") -> Any:
    """Return the estimator that bytes hold; of a type that is not trusted nothing is imported, and nothing is made.

    Raises
    ------
    ModelError
        Naming the foreign type, or because it is no such file.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.io.loads(data, trusted=TRUSTED)
    except UntrustedTypesFoundException:
        raise ModelError(f"{source} is refused: it holds {', '.join(_foreign(data))}, {_ONLY}") from None
    except Exception as error:  # whatever a broken file breaks: it is no model
        raise ModelError(f"{source} is no model that can be read: {error}") from None


_ONLY = "and a model is made of scikit-learn's own types only"


def _foreign(data: bytes) -> list[str]:
    import skops.io

    return sorted(set(skops.io.get_untrusted_types(data=data)) - set(TRUSTED))


def _settled(data: bytes) -> bytes:
    """Return skops' file without what differs from one process to the next: addresses as names, and the time."""
    with zipfile.ZipFile(io.BytesIO(data)) as given:
        held = {name: given.read(name) for name in given.namelist()}
    schema = json.loads(held.pop("schema.json"))
    named: dict[str, str] = {}
    _rename(schema, held, named, {})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for old, new in named.items():
            made.writestr(zipfile.ZipInfo(new, EPOCH), _unpadded(held[old], new), zipfile.ZIP_DEFLATED)
        made.writestr(zipfile.ZipInfo("schema.json", EPOCH), json.dumps(schema), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _unpadded(content: bytes, name: str) -> bytes:
    """Return an array of records with zeros between its fields: the nodes of a tree have there whatever was in memory."""
    if not name.endswith(".npy"):
        return content
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.names is None:
        return content
    clean = np.zeros(array.shape, array.dtype)
    for field in array.dtype.names:
        clean[field] = array[field]
    out = io.BytesIO()
    np.save(out, clean, allow_pickle=False)
    return out.getvalue()


def _rename(node: Any, held: dict[str, bytes], named: dict[str, str], numbers: dict[int, int]) -> None:
    """Give the objects and files of a schema numbers, in the order in which they come."""
    if isinstance(node, list):
        for item in node:
            _rename(item, held, named, numbers)
    elif isinstance(node, dict):
        if node.get("__loader__") == "JsonNode":
            node.pop("__id__", None)  # plain values: which of them were one object is chance
        for key, value in node.items():
            if key == "__id__":
                node[key] = numbers.setdefault(value, len(numbers) + 1)
            elif isinstance(value, str) and value in held:
                node[key] = named.setdefault(value, f"{len(named) + 1}.{value.rpartition('.')[2]}")
            else:
                _rename(value, held, named, numbers)
