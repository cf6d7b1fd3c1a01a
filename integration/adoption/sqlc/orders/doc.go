// Package orders is what sqlc generates of schema.sql and query.sql.
package orders
