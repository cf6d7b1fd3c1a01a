-- name: CreateOrder :exec
INSERT INTO orders (id, customer, note) VALUES (?, ?, ?);

-- name: OrdersOf :many
SELECT id, customer, note FROM orders WHERE customer = ? ORDER BY id;

-- name: CountOrders :one
SELECT count(*) FROM orders;

-- name: DeleteOrder :execrows
DELETE FROM orders WHERE id = ?;
