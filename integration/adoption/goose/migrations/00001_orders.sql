-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE orders (id BIGINT, customer STRING);
INSERT INTO orders VALUES (1, 'Ada');

-- +goose Down
DROP TABLE orders;
