"""Train a small network on hand-written digits over 81 combinations of hyperparameters."""

from network import evaluate_function, preprocess_function, train_function

# fmt: off
import sciflow

workflow = sciflow.ExperimentalWorkflow("neural_network_training")

workflow.add_task("preprocess_data", preprocess_function)
workflow.add_task("train_model", train_function, depends_on=["preprocess_data"])
workflow.add_task("evaluate_model", evaluate_function, depends_on=["train_model"])

workflow.add_parameter_space({
    "learning_rate": [0.001, 0.01, 0.1],
    "hidden_layers": [1, 2, 3],
    "neurons_per_layer": [64, 128, 256],
    "dropout_rate": [0.1, 0.3, 0.5]
})

workflow.set_resource_requirements({
    "train_model": {"cpu_cores": 4, "memory_gb": 8, "gpu": True, "max_runtime_hours": 12}
})

workflow.set_scheduling_policy("off_peak", {
    "preferred_hours": "22:00-08:00", "weekend_preferred": True, "max_wait_hours": 48
})

workflow.add_visualization("accuracy_vs_parameters", {
    "type": "heatmap", "x_axis": "learning_rate", "y_axis": "hidden_layers",
    "value": "validation_accuracy", "facet_by": ["dropout_rate"]
})

engine = sciflow.Engine()
results = engine.execute_parameter_sweep(workflow)

best_params = results.find_optimal_parameters("validation_accuracy", maximize=True)
print(f"Best parameters: {best_params}")
print(f"Best accuracy: {results.get_metric(best_params, 'validation_accuracy')}")
# fmt: on

print(f"Results: {results.path}")
