;; 412 nodes, 20 locals, 932 bytes
;;
;; 000  mov edi, 0x5
;; 005  call 0xe
;; 00a  add eax, 0x1
;; 00d  ret
;; 00e  push rbx
;; 00f  mov ebx, edi
;; 011  lea eax, [rbx+rbx]
;; 014  pop rbx
;; 015  ret

(module
  (type $t0 (func (param i32) (result i32)))
  (import "env" "memory" (memory $env.memory 1536 65536 shared))
  (func $region (type $t0) (param $p0 i32) (result i32)
    (local $l1 i32) (local $l2 i64) (local $l3 i32) (local $l4 i64) (local $l5 i32) (local $l6 i64) (local $l7 i64) (local $l8 i64) (local $l9 i64) (local $l10 i64) (local $l11 i64) (local $l12 i32) (local $l13 i64) (local $l14 i64) (local $l15 i64) (local $l16 i64) (local $l17 i32) (local $l18 i32) (local $l19 i64) (local $l20 i32)
    local.get $p0
    i32.load offset=168 align=1
    local.set $l1
    local.get $p0
    i64.load offset=144 align=1
    local.set $l2
    local.get $p0
    i32.load offset=180 align=1
    local.set $l3
    local.get $p0
    i64.load offset=152 align=1
    local.set $l4
    local.get $p0
    i32.load offset=160 align=1
    local.set $l5
    local.get $p0
    i64.load align=1
    local.set $l6
    local.get $p0
    i64.load offset=24 align=1
    local.set $l7
    local.get $p0
    i64.load offset=32 align=1
    local.set $l8
    local.get $p0
    i64.load offset=56 align=1
    local.set $l9
    block $B0
      block $B1
        block $B2
          block $B3
            i64.const 5
            local.set $l9
          end
          block $B4
            local.get $l2
            i64.const 10
            i64.add
            local.set $l10
            local.get $l8
            i64.const 8
            i64.sub
            local.set $l11
            local.get $l3
            local.get $l11
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            i32.add
            local.set $l12
            local.get $l12
            i64.load offset=65536 align=1
            local.get $l11
            i64.const 7
            i64.add
            i64.const -4096
            i64.and
            i64.eq
            i32.eqz
            if $I5
              i64.const 83951617
              local.set $l13
              br $B0
            end
            local.get $l11
            i32.wrap_i64
            local.get $l12
            i32.load offset=65544 align=1
            i32.add
            local.get $l10
            i64.store align=1
            local.get $l11
            local.set $l8
          end
          local.get $l1
          i32.const 2
          i32.sub
          local.set $l1
          block $B6
            local.get $l7
            local.set $l11
            local.get $l8
            i64.const 8
            i64.sub
            local.set $l10
            local.get $l3
            local.get $l10
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            i32.add
            local.set $l12
            local.get $l12
            i64.load offset=65536 align=1
            local.get $l10
            i64.const 7
            i64.add
            i64.const -4096
            i64.and
            i64.eq
            i32.eqz
            if $I7
              i64.const 234946560
              local.set $l13
              br $B0
            end
            local.get $l10
            i32.wrap_i64
            local.get $l12
            i32.load offset=65544 align=1
            i32.add
            local.get $l11
            i64.store align=1
            local.get $l10
            local.set $l8
          end
          block $B8
            local.get $l9
            i32.wrap_i64
            i64.extend_i32_u
            local.set $l7
          end
          block $B9
            local.get $l7
            local.get $l7
            i64.add
            i32.wrap_i64
            i64.extend_i32_u
            local.set $l6
          end
          block $B10
            local.get $l8
            local.set $l10
            local.get $l3
            local.get $l10
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            i32.add
            local.set $l12
            local.get $l12
            i64.load align=1
            local.get $l10
            i64.const 7
            i64.add
            i64.const -4096
            i64.and
            i64.eq
            i32.eqz
            if $I11
              i64.const 335609859
              local.set $l13
              br $B0
            end
            local.get $l8
            i64.const 8
            i64.add
            local.set $l8
            local.get $l10
            i32.wrap_i64
            local.get $l12
            i32.load offset=8 align=1
            i32.add
            i64.load align=1
            local.set $l7
          end
          block $B12
            local.get $l8
            local.set $l10
            local.get $l3
            local.get $l10
            i32.wrap_i64
            i32.const 8
            i32.shr_u
            i32.const 65520
            i32.and
            i32.add
            local.set $l12
            local.get $l12
            i64.load align=1
            local.get $l10
            i64.const 7
            i64.add
            i64.const -4096
            i64.and
            i64.eq
            i32.eqz
            if $I13
              i64.const 352387076
              local.set $l13
              br $B0
            end
            local.get $l10
            i32.wrap_i64
            local.get $l12
            i32.load offset=8 align=1
            i32.add
            i64.load align=1
            local.set $l14
            local.get $l14
            i64.const 16
            i64.shl
            i64.const 16
            i64.shr_s
            local.get $l14
            i64.ne
            if $I14
              i64.const 352387076
              local.set $l13
              br $B0
            end
            local.get $l8
            i64.const 8
            i64.add
            local.set $l8
          end
          local.get $l1
          i32.const 5
          i32.sub
          local.set $l1
          local.get $l14
          local.get $l2
          i64.const 10
          i64.add
          i64.eq
          if $I15
            local.get $l4
            local.set $l15
            local.get $l5
            i64.extend_i32_u
            local.set $l16
            i32.const 0
            local.set $l17
            loop $L16
              block $B17
                local.get $l6
                i32.wrap_i64
                i32.const 1
                i32.add
                local.set $l18
                local.get $l18
                i64.extend_i32_u
                local.set $l6
              end
              block $B18
                local.get $l8
                local.set $l10
                local.get $l3
                local.get $l10
                i32.wrap_i64
                i32.const 8
                i32.shr_u
                i32.const 65520
                i32.and
                i32.add
                local.set $l12
                local.get $l12
                i64.load align=1
                local.get $l10
                i64.const 7
                i64.add
                i64.const -4096
                i64.and
                i64.eq
                i32.eqz
                if $I19
                  i64.const 218169345
                  local.set $l13
                  br $B2
                end
                local.get $l10
                i32.wrap_i64
                local.get $l12
                i32.load offset=8 align=1
                i32.add
                i64.load align=1
                local.set $l19
                local.get $l19
                i64.const 16
                i64.shl
                i64.const 16
                i64.shr_s
                local.get $l19
                i64.ne
                if $I20
                  i64.const 218169345
                  local.set $l13
                  br $B2
                end
                local.get $l8
                i64.const 8
                i64.add
                local.set $l8
              end
              local.get $l1
              i32.const 2
              i32.sub
              local.set $l1
              local.get $l19
              local.get $l2
              i64.const 10
              i64.add
              i64.eq
              if $I21
                local.get $l1
                i32.const 9
                i32.lt_s
                if $I22
                  i64.const 167772160
                  local.set $l13
                  br $B2
                end
                local.get $l18
                i64.extend_i32_u
                local.set $l15
                i64.const 1
                local.set $l16
                i32.const 14
                local.set $l17
                br $L16
              else
                local.get $l19
                local.set $l2
                i64.const 0
                local.set $l13
                br $B2
              end
            end
          else
            local.get $l14
            local.set $l2
            i64.const 0
            local.set $l13
            br $B0
          end
        end
        local.get $l18
        i64.extend_i32_u
        local.set $l15
        i64.const 1
        local.set $l16
        i32.const 14
        local.set $l17
        br $B1
      end
      local.get $l17
      i32.const 0
      i32.eq
      if $I23
        local.get $l15
        local.set $l4
        local.get $l16
        i32.wrap_i64
        local.set $l5
      else
        local.get $l15
        i32.wrap_i64
        local.set $l3
        local.get $l16
        i32.wrap_i64
        local.set $l12
        local.get $l3
        local.get $l12
        i32.sub
        local.set $l20
        local.get $l20
        local.get $l12
        i32.and
        local.get $l20
        local.get $l12
        i32.or
        local.get $l3
        i32.const -1
        i32.xor
        i32.and
        i32.or
        local.set $l12
        local.get $l3
        i64.extend_i32_s
        local.set $l4
        local.get $l12
        i32.const -1073741824
        i32.and
        local.get $l12
        i32.const 8
        i32.and
        i32.or
        local.set $l5
      end
    end
    local.get $l1
    local.get $l13
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    local.set $l1
    local.get $p0
    local.get $l2
    local.get $l13
    i64.const 24
    i64.shr_s
    i64.add
    i64.store offset=136 align=1
    local.get $p0
    local.get $l1
    i32.store offset=168 align=1
    local.get $p0
    local.get $l4
    i64.store offset=152 align=1
    local.get $p0
    local.get $l5
    i32.store offset=160 align=1
    local.get $p0
    local.get $l6
    i64.store align=1
    local.get $p0
    local.get $l7
    i64.store offset=24 align=1
    local.get $p0
    local.get $l8
    i64.store offset=32 align=1
    local.get $p0
    local.get $l9
    i64.store offset=56 align=1
    local.get $l13
    i32.wrap_i64
    i32.const 16
    i32.shr_u
    i32.const 255
    i32.and
    return
    unreachable)
  (export "region" (func $region)))
