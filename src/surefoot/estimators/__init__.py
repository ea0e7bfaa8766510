"""scikit-learn's interface: a classifier and a regressor that pass all of its checks."""

from surefoot.estimators.classifier import SurefootClassifier
from surefoot.estimators.regressor import SurefootRegressor

__all__ = ["SurefootClassifier", "SurefootRegressor"]
