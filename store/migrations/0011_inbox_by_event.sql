-- Events count once by their own ids (docs/decisions/transaction-ids.md): ids of transactions decide nothing.
DROP TABLE inbox_transactions;
