"""A script that fine-tunes a classifier with transformers: `python script.py CHECKPOINT TEXTS OUTPUT [RESUME]`."""

import json
import sys
from pathlib import Path

from datasets import Dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

checkpoint, texts, output, *resume = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(checkpoint)
model = AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=3, hidden_dropout_prob=0.1)
rows = Dataset.from_list(json.loads(Path(texts).read_text()))
rows = rows.map(lambda row: tokenizer(row["text"], truncation=True, max_length=16), remove_columns="text")
args = TrainingArguments(
    output, num_train_epochs=2, per_device_train_batch_size=4, gradient_accumulation_steps=2, save_strategy="epoch",
    eval_strategy="epoch", load_best_model_at_end=True, metric_for_best_model="accuracy", logging_steps=1,
    report_to="none", disable_tqdm=True, learning_rate=1e-2, use_cpu=True,
)  # fmt: skip
trainer = Trainer(
    model=model,
    args=args,
    train_dataset=rows,
    eval_dataset=rows,
    processing_class=tokenizer,
    compute_metrics=lambda read: {"accuracy": float((read.predictions.argmax(-1) == read.label_ids).mean())},
)
trainer.train(resume_from_checkpoint=resume[0] if resume else None)
trainer.save_model()
