-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE notes (order_id BIGINT, note STRING);

-- +goose Down
DROP TABLE notes;
