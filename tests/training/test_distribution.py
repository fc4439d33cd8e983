"""Let Keras' `fit` take on two devices the steps that it takes on one."""

import numpy as np
import processes
import pytest
import replicas

pytestmark = pytest.mark.slow


def test_two_replicas_train_as_one_device_does(tmp_path):
    files = [tmp_path / "two.npz", tmp_path / "one.npz"]
    processes.finish(processes.start(replicas.compare, *files))
    with np.load(files[0]) as two, np.load(files[1]) as one:
        assert two.files == one.files
        assert {"history/loss", "history/val_loss", "history/rate"} <= set(one.files)
        for name in one.files:
            np.testing.assert_allclose(two[name], one[name], rtol=1e-4, atol=1e-6, err_msg=name)
        assert one["history/distortion"][1] < one["history/distortion"][0]
