#!/bin/sh
# Makes heads.md and heads.csv of this folder again: 230 heads, some 50 minutes on two CPU cores. Run it
# in the root of the repository.
go run ./ffs/study/results/heads/tried study heads --run zoo:digits-none --methods none,flow,gaussian --set train.max_iter=750 --set model.outlier.start_iter=375 \
 --variant "select5 model.outlier.select=5" --variant "select20 model.outlier.select=20" \
 --variant "weight0.5 model.loss.energy=0.5" --variant "weight1 model.loss.energy=1" --variant "weight1-select20 model.loss.energy=1 model.outlier.select=20" \
 --variant "standardized model.flow.standardize=true" \
 --variant "fitted model.flow.standardize=true train.flow_lr_factor=5 model.outlier.start_iter=550" \
 --variant "fitted-strong model.flow.standardize=true train.flow_lr_factor=5 model.outlier.start_iter=550 model.loss.energy=0.5 model.outlier.select=20" \
 --variant "temperature1.3 model.outlier.method=flow-changed model.outlier.options.temperature=1.3 model.outlier.select=5" \
 --variant "temperature1.6 model.outlier.method=flow-changed model.outlier.options.temperature=1.6 model.outlier.select=5" \
 --variant "relu model.outlier.method=flow-changed model.outlier.options.rectify=true model.outlier.select=5" \
 --variant "none-reduced model.outlier.method=none model.roi.reduce_dim=32" \
 --variant "reduced model.roi.reduce_dim=32 model.outlier.select=5" \
 --variant "singular model.loss.least_singular_value=0.01 model.outlier.select=5" \
 --variant "gaussian-weight1 model.outlier.method=gaussian model.loss.energy=1" \
 --variant "gaussian-weight1-select4 model.outlier.method=gaussian model.outlier.select=4 model.loss.energy=1" \
 --variant "mixture model.outlier.method=mixture model.outlier.select=20" \
 --variant "mixture-weight1 model.outlier.method=mixture model.outlier.select=20 model.loss.energy=1" \
 --variant "noise model.outlier.method=noise model.outlier.select=20" \
 --variant "noise-weight1 model.outlier.method=noise model.outlier.select=20 model.loss.energy=1" \
 --out studies/heads
