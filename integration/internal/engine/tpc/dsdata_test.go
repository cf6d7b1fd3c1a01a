package tpc

import (
	"fmt"
	"strings"
)

// dsTables are the tables of TPC-DS: their rows, and their columns with the kind of values.
//
//	k        1, 2, 3, ...
//	1..n     a key or number up to n; with ? after it, sometimes NULL
//	m        an amount
//	a|b|c    one of the texts
//	t        a text of its own
//	d        a date
//
// date_dim and time_dim are made of the calendar instead.
var dsTables = []struct {
	name    string
	rows    int
	columns string
}{
	{"store_sales", 450, `ss_sold_date_sk 1..1826, ss_sold_time_sk 1..96, ss_item_sk 1..30, ss_customer_sk 1..40, ss_cdemo_sk 1..20, ss_hdemo_sk 1..20, ss_addr_sk 1..30?, ss_store_sk 1..6?, ss_promo_sk 1..5, ss_ticket_number 1..300,
		ss_quantity 1..100, ss_wholesale_cost m, ss_list_price m, ss_sales_price m, ss_ext_discount_amt m, ss_ext_sales_price m, ss_ext_wholesale_cost m, ss_ext_list_price m, ss_ext_tax m, ss_coupon_amt m, ss_net_paid m, ss_net_paid_inc_tax m, ss_net_profit m`},
	{"store_returns", 200, `sr_returned_date_sk 1..1826, sr_return_time_sk 1..96, sr_item_sk 1..30, sr_customer_sk 1..40, sr_cdemo_sk 1..20, sr_hdemo_sk 1..20, sr_addr_sk 1..30, sr_store_sk 1..6, sr_reason_sk 1..3, sr_ticket_number 1..300,
		sr_return_quantity 1..50, sr_return_amt m, sr_return_tax m, sr_return_amt_inc_tax m, sr_fee m, sr_return_ship_cost m, sr_refunded_cash m, sr_reversed_charge m, sr_store_credit m, sr_net_loss m`},
	{"catalog_sales", 300, `cs_sold_date_sk 1..1826, cs_sold_time_sk 1..96, cs_ship_date_sk 1..1826, cs_bill_customer_sk 1..40, cs_bill_cdemo_sk 1..20, cs_bill_hdemo_sk 1..20, cs_bill_addr_sk 1..30, cs_ship_customer_sk 1..40, cs_ship_cdemo_sk 1..20, cs_ship_hdemo_sk 1..20, cs_ship_addr_sk 1..30?,
		cs_call_center_sk 1..2, cs_catalog_page_sk 1..5, cs_ship_mode_sk 1..4, cs_warehouse_sk 1..3, cs_item_sk 1..30, cs_promo_sk 1..9, cs_order_number 1..300, cs_quantity 1..100, cs_wholesale_cost m, cs_list_price m, cs_sales_price m, cs_ext_discount_amt m, cs_ext_sales_price m,
		cs_ext_wholesale_cost m, cs_ext_list_price m, cs_ext_tax m, cs_coupon_amt m, cs_ext_ship_cost m, cs_net_paid m, cs_net_paid_inc_tax m, cs_net_paid_inc_ship m, cs_net_paid_inc_ship_tax m, cs_net_profit m`},
	{"catalog_returns", 150, `cr_returned_date_sk 1..1826, cr_returned_time_sk 1..96, cr_item_sk 1..30, cr_refunded_customer_sk 1..40, cr_refunded_cdemo_sk 1..20, cr_refunded_hdemo_sk 1..20, cr_refunded_addr_sk 1..30, cr_returning_customer_sk 1..40, cr_returning_cdemo_sk 1..20, cr_returning_hdemo_sk 1..20,
		cr_returning_addr_sk 1..30, cr_call_center_sk 1..2, cr_catalog_page_sk 1..5, cr_ship_mode_sk 1..4, cr_warehouse_sk 1..3, cr_reason_sk 1..3, cr_order_number 1..300, cr_return_quantity 1..50, cr_return_amount m, cr_return_tax m, cr_return_amt_inc_tax m, cr_fee m,
		cr_return_ship_cost m, cr_refunded_cash m, cr_reversed_charge m, cr_store_credit m, cr_net_loss m`},
	{"web_sales", 300, `ws_sold_date_sk 1..1826, ws_sold_time_sk 1..96, ws_ship_date_sk 1..1826, ws_item_sk 1..30, ws_bill_customer_sk 1..40, ws_bill_cdemo_sk 1..20, ws_bill_hdemo_sk 1..20, ws_bill_addr_sk 1..30, ws_ship_customer_sk 1..40?, ws_ship_cdemo_sk 1..20, ws_ship_hdemo_sk 1..20, ws_ship_addr_sk 1..30,
		ws_web_page_sk 1..4, ws_web_site_sk 1..3, ws_ship_mode_sk 1..4, ws_warehouse_sk 1..3, ws_promo_sk 1..5, ws_order_number 1..300, ws_quantity 1..100, ws_wholesale_cost m, ws_list_price m, ws_sales_price m, ws_ext_discount_amt m, ws_ext_sales_price m, ws_ext_wholesale_cost m,
		ws_ext_list_price m, ws_ext_tax m, ws_coupon_amt m, ws_ext_ship_cost m, ws_net_paid m, ws_net_paid_inc_tax m, ws_net_paid_inc_ship m, ws_net_paid_inc_ship_tax m, ws_net_profit m`},
	{"web_returns", 150, `wr_returned_date_sk 1..1826, wr_returned_time_sk 1..96, wr_item_sk 1..30, wr_refunded_customer_sk 1..40, wr_refunded_cdemo_sk 1..20, wr_refunded_hdemo_sk 1..20, wr_refunded_addr_sk 1..30, wr_returning_customer_sk 1..40, wr_returning_cdemo_sk 1..20, wr_returning_hdemo_sk 1..20,
		wr_returning_addr_sk 1..30, wr_web_page_sk 1..4, wr_reason_sk 1..3, wr_order_number 1..300, wr_return_quantity 1..50, wr_return_amt m, wr_return_tax m, wr_return_amt_inc_tax m, wr_fee m, wr_return_ship_cost m, wr_refunded_cash m, wr_reversed_charge m, wr_account_credit m, wr_net_loss m`},
	{"inventory", 450, `inv_date_sk 1..1826, inv_item_sk 1..30, inv_warehouse_sk 1..3, inv_quantity_on_hand 1..500`},
	{"customer", 40, `c_customer_sk k, c_customer_id t, c_current_cdemo_sk 1..20, c_current_hdemo_sk 1..20, c_current_addr_sk 1..30, c_first_shipto_date_sk 1..1826, c_first_sales_date_sk 1..1826, c_salutation Mr.|Ms., c_first_name Ann|Bob|Cy, c_last_name Ash|Birch|Cedar, c_preferred_cust_flag Y|N,
		c_birth_day 1..28, c_birth_month 1..12, c_birth_year 1..99, c_birth_country UNITED STATES|CHILE, c_login t, c_email_address t, c_last_review_date t`},
	{"customer_address", 30, `ca_address_sk k, ca_address_id t, ca_street_number 1..99, ca_street_name t, ca_street_type Lane|Road, ca_suite_number t, ca_city Midway|Fairview|Oakland, ca_county Rush County|Williamson County|Toole County, ca_state GA|TN|OH|KY|IN|TX, ca_zip 24128|85669|60069, ca_country United States,
		ca_gmt_offset -5|-7, ca_location_type condo`},
	{"customer_demographics", 20, `cd_demo_sk k, cd_gender M|F, cd_marital_status M|S|D|W, cd_education_status College|Unknown|Advanced Degree|4 yr Degree, cd_purchase_estimate 1..999, cd_credit_rating Good|Low, cd_dep_count 1..6, cd_dep_employed_count 1..6, cd_dep_college_count 1..6`},
	{"household_demographics", 20, `hd_demo_sk k, hd_income_band_sk 1..5, hd_buy_potential >10000|Unknown, hd_dep_count 1..8, hd_vehicle_count 1..4`},
	{"income_band", 5, `ib_income_band_sk k, ib_lower_bound 1..50000, ib_upper_bound 1..90000`},
	{"item", 30, `i_item_sk k, i_item_id t, i_rec_start_date d, i_rec_end_date d, i_item_desc t, i_current_price m, i_wholesale_cost m, i_brand_id 1..4, i_brand amalg|corp|edu pack, i_class_id 1..3, i_class personal|portable|accessories|classical, i_category_id 1..4,
		i_category Books|Home|Sports|Music|Women|Men|Electronics|Jewelry, i_manufact_id 1..800, i_manufact able|bar, i_size medium|petite|large, i_formulation t, i_color pale|slate|powder|purple, i_units Ounce|Dozen, i_container Unknown, i_manager_id 1..3, i_product_name t`},
	{"promotion", 5, `p_promo_sk k, p_promo_id t, p_start_date_sk 1..1826, p_end_date_sk 1..1826, p_item_sk 1..30, p_cost m, p_response_target 1..2, p_promo_name t, p_channel_dmail Y|N, p_channel_email N|Y, p_channel_catalog N, p_channel_tv N|Y, p_channel_radio N, p_channel_press N, p_channel_event N|Y,
		p_channel_demo N, p_channel_details t, p_purpose Unknown, p_discount_active N`},
	{"store", 6, `s_store_sk k, s_store_id t, s_rec_start_date d, s_rec_end_date d, s_closed_date_sk 1..1826, s_store_name ese|ought|able, s_number_employees 1..300, s_floor_space 1..9999, s_hours 8AM-8PM, s_manager t, s_market_id 1..10, s_geography_class Unknown, s_market_desc t, s_market_manager t,
		s_division_id 1..2, s_division_name Unknown, s_company_id 1..2, s_company_name Unknown, s_street_number 1..99, s_street_name t, s_street_type Lane, s_suite_number t, s_city Midway|Fairview, s_county Williamson County|Franklin Parish, s_state TN|GA, s_zip 24128|85669|60069, s_country United States,
		s_gmt_offset -5, s_tax_percentage m`},
	{"warehouse", 3, `w_warehouse_sk k, w_warehouse_id t, w_warehouse_name t, w_warehouse_sq_ft 1..99999, w_street_number 1..99, w_street_name t, w_street_type Lane, w_suite_number t, w_city Midway, w_county Rush County, w_state GA|TN, w_zip 24128, w_country United States, w_gmt_offset -5`},
	{"ship_mode", 4, `sm_ship_mode_sk k, sm_ship_mode_id t, sm_type EXPRESS|OVERNIGHT, sm_code AIR|SEA, sm_carrier DHL|BARIAN|UPS, sm_contract t`},
	{"reason", 3, `r_reason_sk k, r_reason_id t, r_reason_desc reason 28|reason 1`},
	{"call_center", 2, `cc_call_center_sk k, cc_call_center_id t, cc_name t, cc_class small, cc_employees 1..99, cc_manager t, cc_county Williamson County|Rush County, cc_state TN`},
	{"catalog_page", 5, `cp_catalog_page_sk k, cp_catalog_page_id t, cp_department t, cp_catalog_number 1..9, cp_catalog_page_number 1..9, cp_description t, cp_type monthly`},
	{"web_page", 4, `wp_web_page_sk k, wp_web_page_id t, wp_url t, wp_type order, wp_char_count 1..5000, wp_link_count 1..9`},
	{"web_site", 3, `web_site_sk k, web_site_id t, web_name t, web_class Unknown, web_manager t, web_company_id 1..2, web_company_name pri|able, web_gmt_offset -5`},
}

// dsStatements create and fill the tables. Values are spread by multiplication with primes, so that
// columns are not correlated.
func dsStatements() []string {
	out := []string{
		`CREATE TABLE date_dim AS SELECT int(id + 1) AS d_date_sk, string(id) AS d_date_id, d AS d_date, int((year(d) - 1900) * 12 + month(d) - 1) AS d_month_seq, int(5000 + (id + 4) DIV 7) AS d_week_seq, (year(d) - 1900) * 4 + quarter(d) AS d_quarter_seq,
			year(d) AS d_year, weekday(d + 1) AS d_dow, month(d) AS d_moy, day(d) AS d_dom, quarter(d) AS d_qoy, concat(year(d), 'Q', quarter(d)) AS d_quarter_name, date_format(d, 'EEEE') AS d_day_name, 'N' AS d_holiday, 'N' AS d_weekend
			FROM (SELECT id, date_add(DATE '1998-01-01', int(id)) AS d FROM range(1826))`,
		`CREATE TABLE time_dim AS SELECT int(id + 1) AS t_time_sk, string(id) AS t_time_id, int(id * 900) AS t_time, int(id DIV 4) AS t_hour, int(id % 4 * 15) AS t_minute, int(0) AS t_second, if(id < 48, 'AM', 'PM') AS t_am_pm,
			CASE WHEN id BETWEEN 24 AND 40 THEN 'breakfast' WHEN id BETWEEN 68 AND 84 THEN 'dinner' END AS t_meal_time FROM range(96)`,
	}
	primes := []int{7919, 104729, 1299709, 15485863, 611953, 1000003, 746773, 350377, 224737, 32452843, 49979687, 86028121, 122949823}
	n := 0
	for _, t := range dsTables {
		var columns []string
		for _, c := range strings.Split(t.columns, ",") {
			name, kind, _ := strings.Cut(strings.TrimSpace(c), " ")
			spread := fmt.Sprintf("(id * %d + %d) %% 1000003", primes[n%len(primes)], 17*n)
			n++
			columns = append(columns, dsValue(name, kind, spread)+" AS "+name)
		}
		out = append(out, fmt.Sprintf("CREATE TABLE %s AS SELECT %s FROM range(%d)", t.name, strings.Join(columns, ", "), t.rows))
	}
	return out
}

func dsValue(name, kind, spread string) string {
	most, isNumber := strings.CutPrefix(kind, "1..")
	limit, holes := strings.CutSuffix(most, "?")
	switch {
	case kind == "k":
		return "int(id + 1)"
	case holes:
		return fmt.Sprintf("if(%s %% 11 = 0, NULL, int(1 + %s %% %s))", spread, spread, limit)
	case isNumber:
		return fmt.Sprintf("int(1 + %s %% %s)", spread, limit)
	case kind == "m":
		return fmt.Sprintf("CAST(CAST(%s %% 20000 AS DECIMAL(9,2)) / 100 AS DECIMAL(7,2))", spread)
	case kind == "t":
		return "concat('" + name + " ', id)"
	case kind == "d":
		return "date_add(DATE '1997-10-27', int(id))"
	}
	choices := strings.Split(kind, "|")
	value := fmt.Sprintf("split_part('%s', '|', int(1 + %s %% %d))", kind, spread, len(choices))
	if strings.HasSuffix(name, "gmt_offset") {
		return "CAST(" + value + " AS DECIMAL(5,2))"
	}
	return value
}
