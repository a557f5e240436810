"""Problems: questions and canonical gold numbers of a dataset."""
